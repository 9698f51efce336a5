package dev.knote.transport.testsuite;

import static org.junit.jupiter.api.Assertions.assertNotNull;

import io.netty.bootstrap.Bootstrap;
import io.netty.testsuite.transport.TestsuitePermutation.BootstrapFactory;
import io.netty.testsuite.transport.socket.SocketConnectionAttemptTest;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;

class SocketConnectionAttemptIT extends SocketConnectionAttemptTest {
    @Override
    protected List<BootstrapFactory<Bootstrap>> newFactories() {
        return Suite.CHANNELS.clientSocket();
    }

    @BeforeAll
    static void prepare() {
        assertNotNull(Suite.CHANNELS, "which also chose an address that does not answer");
    }
}
