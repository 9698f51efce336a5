package dev.knote.transport;

import dev.knote.EventQueue;
import io.netty.util.internal.SystemPropertyUtil;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Whether this transport can be had here, as Netty's own transports tell it. It cannot where there is neither io_uring
 * nor epoll, where native access is denied, and with {@code -Dio.netty.transport.noNative=true}.
 */
public final class Knote {
    private static final Throwable UNAVAILABLE = probe();

    private Knote() {}

    /** Whether {@link #ensureAvailability()} returns. */
    public static boolean isAvailable() {
        return UNAVAILABLE == null;
    }

    /** Why the transport cannot be had; null if it can. */
    public static Throwable unavailabilityCause() {
        return UNAVAILABLE;
    }

    /**
     * Returns if the transport can be had.
     *
     * @throws UnsatisfiedLinkError with {@link #unavailabilityCause()} as its cause, as Netty's transports do
     */
    public static void ensureAvailability() {
        if (UNAVAILABLE != null) {
            throw (Error) new UnsatisfiedLinkError("the Knote transport cannot be had here: "
                    + UNAVAILABLE.getMessage()).initCause(UNAVAILABLE);
        }
    }

    /** Whether {@code TCP_FASTOPEN_CONNECT} has an effect: never, the channels of this transport do not know it. */
    public static boolean isTcpFastOpenClientSideAvailable() {
        return false;
    }

    /** Whether {@code TCP_FASTOPEN} has an effect here: whether {@code net.ipv4.tcp_fastopen} permits it to servers. */
    public static boolean isTcpFastOpenServerSideAvailable() {
        return isAvailable() && FastOpen.OF_SERVERS;
    }

    /** Read when asked for the first time. */
    private static final class FastOpen {
        private static final int SERVER = 2;
        static final boolean OF_SERVERS = (read() & SERVER) != 0;

        private static int read() {
            try {
                return Integer.decode(Files.readString(Path.of("/proc/sys/net/ipv4/tcp_fastopen")).strip());
            } catch (IOException | RuntimeException e) {
                return 0; // no /proc, say
            }
        }
    }

    private static Throwable probe() {
        if (SystemPropertyUtil.getBoolean("io.netty.transport.noNative", false)) {
            return new UnsupportedOperationException(
                    "native transports were disabled by -Dio.netty.transport.noNative=true");
        }
        try {
            EventQueue.open().close();
            return null;
        } catch (Throwable t) { // not only exceptions: also what linking throws
            return t;
        }
    }
}
