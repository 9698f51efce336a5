package dev.knote.transport;

import dev.knote.linux.Errno;
import dev.knote.transport.socket.Failures;
import dev.knote.transport.socket.Socket;
import io.netty.channel.unix.FileDescriptor;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NotYetConnectedException;

/** A socket's fd as Netty knows it, without Netty's native library: reading and writing are the channel's. */
final class SocketDescriptor extends FileDescriptor {
    private volatile boolean inputShutdown;
    private volatile boolean outputShutdown;

    SocketDescriptor(int fd) {
        super(fd);
    }

    /** Closes the fd, the first time. */
    @Override
    public void close() throws IOException {
        if (markClosed()) {
            int result = Socket.close(intValue());
            if (result < 0 && result != -Errno.EINTR) { // after EINTR it is closed as well
                throw Failures.of("close", result);
            }
        }
    }

    /** Of a closed one too. */
    boolean isInputShutdown() {
        return inputShutdown || !isOpen();
    }

    /** Of a closed one too. */
    boolean isOutputShutdown() {
        return outputShutdown || !isOpen();
    }

    void shutdownInput() throws IOException {
        if (!inputShutdown || !isOpen()) {
            shutdown(Socket.SHUT_RD);
        }
    }

    void shutdownOutput() throws IOException {
        if (!outputShutdown || !isOpen()) {
            shutdown(Socket.SHUT_WR);
        }
    }

    /** What failed counts as shut down nevertheless: there is no connection any more. */
    private void shutdown(int how) throws IOException {
        if (!isOpen()) {
            throw new ClosedChannelException();
        }
        inputShutdown |= how == Socket.SHUT_RD;
        outputShutdown |= how == Socket.SHUT_WR;
        int result = Socket.shutdown(intValue(), how);
        if (result == -Errno.ENOTCONN) {
            throw new NotYetConnectedException();
        }
        if (result < 0) {
            throw Failures.of("shutdown", result);
        }
    }
}
