package dev.knote.transport;

import dev.knote.linux.Errno;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelPromise;
import io.netty.channel.ConnectTimeoutException;
import io.netty.util.concurrent.Future;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnknownHostException;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.TimeUnit;

/** A connection that is being made: its promise and its timeout. */
final class PendingConnect implements Runnable, ChannelFutureListener {
    final SocketAddress remote;
    final ChannelPromise promise;
    private final AbstractKnoteChannel channel;
    private Future<?> timeout;

    PendingConnect(AbstractKnoteChannel channel, SocketAddress remote, ChannelPromise promise) {
        this.channel = channel;
        this.remote = remote;
        this.promise = promise;
    }

    /** Whether connect(2) goes on by itself. */
    static boolean isPending(int result) {
        return result == -Errno.EINPROGRESS;
    }

    /** The address of the kernel with the name of the one that was asked for. */
    static SocketAddress named(SocketAddress asked, SocketAddress kernel) {
        if (!(asked instanceof InetSocketAddress name && kernel instanceof InetSocketAddress inet)) {
            return asked;
        }
        try {
            InetAddress address = inet.getAddress();
            InetAddress named = address instanceof Inet6Address six && six.getScopeId() != 0
                    ? Inet6Address.getByAddress(name.getHostString(), six.getAddress(), six.getScopeId())
                    : InetAddress.getByAddress(name.getHostString(), address.getAddress());
            return new InetSocketAddress(named, inet.getPort());
        } catch (UnknownHostException e) {
            return kernel;
        }
    }

    void begin() {
        int millis = channel.config().getConnectTimeoutMillis();
        if (millis > 0) {
            timeout = channel.eventLoop().schedule(this, millis, TimeUnit.MILLISECONDS);
        }
        promise.addListener(this);
    }

    /** The time is over. */
    @Override
    public void run() {
        String text = "connection timed out after " + channel.config().getConnectTimeoutMillis() + " ms: "
                + remote;
        if (promise.tryFailure(new ConnectTimeoutException(text))) {
            channel.giveUpConnect(this);
        }
    }

    /** Connected, failed or cancelled. */
    @Override
    public void operationComplete(ChannelFuture future) {
        if (timeout != null) {
            timeout.cancel(false);
        }
        if (future.isCancelled()) {
            channel.giveUpConnect(this);
        }
    }

    void closed() {
        promise.tryFailure(new ClosedChannelException());
    }
}
