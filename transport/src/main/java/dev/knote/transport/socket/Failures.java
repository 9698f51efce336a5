package dev.knote.transport.socket;

import dev.knote.linux.Errno;
import dev.knote.linux.Native;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodType;
import java.net.BindException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.PortUnreachableException;
import java.net.SocketException;
import java.nio.channels.ClosedChannelException;

/** The exception for an errno: what Netty's own transports throw, with the kernel's text and the call's name. */
public final class Failures {
    private static final int TEXT_MAX = 256;
    /** Not translated, where libc has it: programs look for words in the text. */
    private static final MethodHandle STRERROR = Native.function(
            Native.symbol("strerrordesc_np").isPresent() ? "strerrordesc_np" : "strerror",
            MethodType.methodType(long.class, int.class));

    private Failures() {}

    /** Of a call on a socket whose bytes flow. {@code result} is an errno, negated or not. */
    public static IOException of(String call, int result) {
        int errno = Math.abs(result);
        if (errno == Errno.EBADF) {
            return closed(call);
        }
        return errno == Errno.ECONNRESET ? new SocketException(text(call, errno)) // as the JDK's
                : new IOException(text(call, errno));
    }

    /** Of connect(2), or the error that is pending after it. */
    public static IOException ofConnect(int result) {
        int errno = Math.abs(result);
        return switch (errno) {
            case Errno.EBADF -> closed("connect");
            case Errno.EHOSTUNREACH, Errno.ENETUNREACH -> new NoRouteToHostException(text("connect", errno));
            default -> new ConnectException(text("connect", errno));
        };
    }

    /** Of bind(2) and listen(2). */
    public static IOException ofBind(String call, int result) {
        int errno = Math.abs(result);
        return switch (errno) {
            case Errno.EADDRINUSE, Errno.EADDRNOTAVAIL, Errno.EACCES, Errno.EINVAL ->
                new BindException(text(call, errno));
            default -> of(call, errno);
        };
    }

    /** Of a datagram: a connected one may find nobody there. */
    public static IOException ofDatagram(String call, int result) {
        int errno = Math.abs(result);
        return errno == Errno.ECONNREFUSED ? new PortUnreachableException(text(call, errno))
                : of(call, errno);
    }

    private static IOException closed(String call) {
        IOException closed = new ClosedChannelException();
        closed.addSuppressed(new IOException(text(call, Errno.EBADF)));
        return closed;
    }

    /** Call, text and C name of an errno. */
    public static String text(String call, int errno) {
        return call + "(..) failed: " + strerror(errno) + " (" + Errno.name(errno) + ")";
    }

    /** strerror(3). */
    static synchronized String strerror(int errno) {
        try {
            long at = (long) STRERROR.invokeExact(errno);
            if (at == 0) {
                return "Unknown error " + errno;
            }
            MemorySegment text = Native.memory(at, TEXT_MAX);
            return text.getString(0);
        } catch (Throwable t) {
            throw new AssertionError("a downcall does not throw", t);
        }
    }
}
