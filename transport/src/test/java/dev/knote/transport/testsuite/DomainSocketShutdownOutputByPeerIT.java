package dev.knote.transport.testsuite;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.testsuite.transport.TestsuitePermutation.BootstrapFactory;
import io.netty.testsuite.transport.socket.AbstractSocketShutdownOutputByPeerTest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.Timeout;

class DomainSocketShutdownOutputByPeerIT extends AbstractSocketShutdownOutputByPeerTest<SocketChannel> {
    @Override
    protected List<BootstrapFactory<ServerBootstrap>> newFactories() {
        return Suite.CHANNELS.serverDomainSocket();
    }

    /** NIO's channel for Unix domain sockets has no option for half closure. */
    @Override
    @Test
    @Timeout(30)
    public void testShutdownOutput(TestInfo testInfo) throws Throwable {
        assumeTrue(Suite.CHANNELS.isOwn(), Suite.NOT_FOR_NIO);
        super.testShutdownOutput(testInfo);
    }

    @Override
    protected SocketAddress newSocketAddress() {
        return Suite.newDomainAddress();
    }

    @Override
    protected SocketChannel newSocket() {
        try {
            return SocketChannel.open(StandardProtocolFamily.UNIX);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    protected void connect(SocketChannel socket, SocketAddress address) throws IOException {
        socket.connect(Suite.jdkAddress(address));
    }

    @Override
    protected void write(SocketChannel socket, int data) throws IOException {
        socket.write(ByteBuffer.wrap(new byte[] {(byte) data}));
    }

    @Override
    protected void shutdownOutput(SocketChannel socket) throws IOException {
        socket.shutdownOutput();
    }

    @Override
    protected void close(SocketChannel socket) throws IOException {
        socket.close();
    }
}
