package dev.knote.transport;

import dev.knote.EventQueue;
import io.netty.util.internal.SystemPropertyUtil;

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
