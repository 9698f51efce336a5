package dev.knote.transport.testsuite;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.testsuite.transport.TestsuitePermutation.BootstrapComboFactory;
import io.netty.testsuite.transport.socket.SocketHalfClosedTest;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.Timeout;

class SocketHalfClosedIT extends SocketHalfClosedTest {
    @Override
    protected List<BootstrapComboFactory<ServerBootstrap, Bootstrap>> newFactories() {
        return Suite.CHANNELS.socket();
    }

    /**
     * Left out for NIO channels: without a read they do not see the end. The suite knows them by Netty's
     * handler only.
     */
    @Override
    @Test
    @Timeout(20)
    public void testAllDataReadEventTriggeredAfterHalfClosure(TestInfo testInfo) throws Throwable {
        assumeTrue(Suite.CHANNELS.isOwn(), Suite.NOT_FOR_NIO);
        super.testAllDataReadEventTriggeredAfterHalfClosure(testInfo);
    }
}
