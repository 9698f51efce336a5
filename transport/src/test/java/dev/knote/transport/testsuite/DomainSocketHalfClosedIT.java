package dev.knote.transport.testsuite;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.testsuite.transport.TestsuitePermutation.BootstrapComboFactory;
import io.netty.testsuite.transport.socket.SocketHalfClosedTest;
import java.net.SocketAddress;
import java.util.List;
import org.junit.jupiter.api.Disabled;
import org.junit.jupiter.api.TestInfo;

class DomainSocketHalfClosedIT extends SocketHalfClosedTest {
    @Override
    protected List<BootstrapComboFactory<ServerBootstrap, Bootstrap>> newFactories() {
        assumeTrue(Suite.CHANNELS.isOwn(), Suite.NOT_FOR_NIO); // they have no option for it
        return Suite.CHANNELS.domainSocket();
    }

    @Override
    protected SocketAddress newSocketAddress() {
        return Suite.newDomainAddress();
    }

    @Override
    @Disabled("it takes every channel for a SocketChannel, and sets SO_LINGER")
    public void testHalfClosureReceiveDataOnFinalWait2StateWhenSoLingerSet(TestInfo info) {}
}
