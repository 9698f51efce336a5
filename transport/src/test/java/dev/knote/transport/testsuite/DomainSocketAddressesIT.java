package dev.knote.transport.testsuite;

import static org.junit.jupiter.api.Assertions.assertNotNull;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.testsuite.transport.TestsuitePermutation.BootstrapComboFactory;
import io.netty.testsuite.transport.socket.SocketAddressesTest;
import java.net.SocketAddress;
import java.util.List;

class DomainSocketAddressesIT extends SocketAddressesTest {
    @Override
    protected List<BootstrapComboFactory<ServerBootstrap, Bootstrap>> newFactories() {
        return Suite.CHANNELS.domainSocket();
    }

    @Override
    protected SocketAddress newSocketAddress() {
        return Suite.newDomainAddress();
    }

    @Override
    protected void assertAddress(SocketAddress address) {
        assertNotNull(address);
    }
}
