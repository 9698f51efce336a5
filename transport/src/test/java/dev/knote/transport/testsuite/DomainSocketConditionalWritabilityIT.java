package dev.knote.transport.testsuite;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.testsuite.transport.TestsuitePermutation.BootstrapComboFactory;
import io.netty.testsuite.transport.socket.SocketConditionalWritabilityTest;
import java.net.SocketAddress;
import java.util.List;

class DomainSocketConditionalWritabilityIT extends SocketConditionalWritabilityTest {
    @Override
    protected List<BootstrapComboFactory<ServerBootstrap, Bootstrap>> newFactories() {
        return Suite.CHANNELS.domainSocket();
    }

    @Override
    protected SocketAddress newSocketAddress() {
        return Suite.newDomainAddress();
    }
}
