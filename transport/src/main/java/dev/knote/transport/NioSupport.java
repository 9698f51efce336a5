package dev.knote.transport;

import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.channels.SelectableChannel;

/**
 * What the JDK's selectors know of a channel, and has no public API: its fd, and that it may be closed now.
 * Looked up when it is first needed, since it takes an option of the JVM.
 */
final class NioSupport {
    private static final String INTERNAL = "sun.nio.ch.SelChImpl";
    private static final MethodHandle GET_FD;
    private static final MethodHandle KILL;
    private static final Exception DENIED;

    static {
        MethodHandle getFd = null;
        MethodHandle kill = null;
        Exception denied = null;
        try {
            Class<?> type = Class.forName(INTERNAL);
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            getFd = lookup.findVirtual(type, "getFDVal", MethodType.methodType(int.class))
                    .asType(MethodType.methodType(int.class, SelectableChannel.class));
            kill = lookup.findVirtual(type, "kill", MethodType.methodType(void.class))
                    .asType(MethodType.methodType(void.class, SelectableChannel.class));
        } catch (ReflectiveOperationException e) {
            denied = e;
        }
        GET_FD = getFd;
        KILL = kill;
        DENIED = denied;
    }

    private NioSupport() {}

    /**
     * The channel's file descriptor.
     *
     * @throws IllegalStateException that names the option that the JVM was started without
     */
    static int fd(SelectableChannel channel) {
        if (DENIED != null) {
            throw new IllegalStateException("an NIO channel on this loop needs the JVM option " + option(),
                    DENIED);
        }
        try {
            return (int) GET_FD.invokeExact(channel);
        } catch (ClassCastException e) {
            throw new IllegalArgumentException("channel is a " + channel.getClass().getName()
                    + ": expected one that the JDK itself has made", e);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /** A channel that was closed while it was registered: its fd is closed now. */
    static void kill(SelectableChannel channel) throws IOException {
        try {
            KILL.invokeExact(channel);
        } catch (IOException | RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /** The option, as it has to be given here. */
    static String option() {
        Module module = NioSupport.class.getModule();
        return "--add-exports java.base/sun.nio.ch=" + (module.isNamed() ? module.getName() : "ALL-UNNAMED");
    }
}
