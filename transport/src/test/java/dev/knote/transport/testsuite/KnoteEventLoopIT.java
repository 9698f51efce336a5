package dev.knote.transport.testsuite;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.knote.transport.KnoteIoHandler;
import io.netty.channel.Channel;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.testsuite.transport.AbstractSingleThreadEventLoopTest;
import java.util.concurrent.Executor;

class KnoteEventLoopIT extends AbstractSingleThreadEventLoopTest {
    @Override
    protected EventLoopGroup newEventLoopGroup() {
        return new MultiThreadIoEventLoopGroup(KnoteIoHandler.newFactory());
    }

    @Override
    protected EventLoopGroup newAutoScalingEventLoopGroup() {
        IoHandlerFactory factory = KnoteIoHandler.newFactory();
        assumeTrue(factory.isChangingThreadSupported(), "a ring obeys one thread");
        return new MultiThreadIoEventLoopGroup(SCALING_MAX_THREADS, (Executor) null,
                AUTO_SCALING_CHOOSER_FACTORY,
                factory);
    }

    @Override
    protected boolean supportsChannelIteration() {
        assumeTrue(false, "a loop of Netty 4.2 keeps no list of channels");
        return false;
    }

    @Override
    protected Channel newChannel() {
        return Suite.CHANNELS.newSocket();
    }

    @Override
    protected Class<? extends ServerChannel> serverChannelClass() {
        return Suite.CHANNELS.serverClass();
    }
}
