package dev.knote.transport.testsuite;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.handler.ssl.OpenSsl;
import io.netty.testsuite.transport.TestsuitePermutation.BootstrapComboFactory;
import io.netty.testsuite.transport.socket.SocketSslSessionReuseTest;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInfo;

@Tag(Suite.TLS)
class SocketSslSessionReuseIT extends SocketSslSessionReuseTest {
    @Override
    protected List<BootstrapComboFactory<ServerBootstrap, Bootstrap>> newFactories() {
        return Suite.CHANNELS.socket();
    }

    /** Which its second pair of engines is, and does not ask for. */
    @BeforeEach
    void openSsl(TestInfo info) {
        boolean needed = info.getTestMethod().orElseThrow().getName()
                .equals("testSslSessionTrustManagerResumption")
                && info.getDisplayName().startsWith("2");
        assumeTrue(!needed || OpenSsl.isAvailable(), "OpenSSL is not to be had here");
    }
}
