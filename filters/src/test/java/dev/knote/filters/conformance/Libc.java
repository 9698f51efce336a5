package dev.knote.filters.conformance;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The C library, to do to descriptors what a program in C does, without any help of Knote. */
@SuppressWarnings("restricted")
final class Libc {
    static final int O_WRONLY = 1;
    static final int O_RDWR = 2;
    static final int O_CREAT = 0x40;
    static final int O_NONBLOCK = 0x800;
    static final int O_CLOEXEC = 0x80000;
    static final int AF_UNIX = 1;
    static final int AF_INET = 2;
    static final int SOCK_STREAM = 1;
    static final int SOCK_DGRAM = 2;
    static final int SOCK_SEQPACKET = 5;
    static final int SHUT_WR = 1;
    static final int POLLIN = 1;
    static final int POLLOUT = 4;
    static final int POLLERR = 8;
    static final int POLLHUP = 16;
    static final int POLLNVAL = 32;
    static final int POLLRDHUP = 0x2000;

    private static final int F_SETFL = 4;
    private static final Linker LINKER = Linker.nativeLinker();
    private static final MemoryLayout STATE = Linker.Option.captureStateLayout();
    private static final long ERRNO_AT = STATE.byteOffset(PathElement.groupElement("errno"));
    /** The functions with "..." in their declaration, and how many arguments stand before it. */
    private static final Map<String, Integer> VARIADIC = Map.of("open", 2, "fcntl", 2);
    private static final Map<String, MethodHandle> HANDLES = new ConcurrentHashMap<>();

    private Libc() {}

    /** Calls a function of ints, longs and addresses. Its result, or {@code -errno}. */
    static int call(String function, long... arguments) {
        MethodHandle handle = HANDLES.computeIfAbsent(
                function + "/" + arguments.length, key -> link(function, arguments.length));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            int result = (int) handle.invoke(state, arguments);
            return result == -1 ? -state.get(ValueLayout.JAVA_INT, ERRNO_AT) : result;
        } catch (Throwable t) {
            throw new AssertionError(function, t);
        }
    }

    /** As {@link #call}, where it must not fail. */
    static int must(String function, long... arguments) {
        int result = call(function, arguments);
        if (result < 0) {
            throw new AssertionError(function + Arrays.toString(arguments) + " failed: errno " + -result);
        }
        return result;
    }

    private static MethodHandle link(String function, int arity) {
        MemoryLayout[] types = new MemoryLayout[arity];
        Arrays.fill(types, ValueLayout.JAVA_LONG);
        Linker.Option errno = Linker.Option.captureCallState("errno");
        Integer fixed = VARIADIC.get(function);
        Linker.Option[] options = fixed == null
                ? new Linker.Option[] {errno}
                : new Linker.Option[] {errno, Linker.Option.firstVariadicArg(fixed)};
        return LINKER.downcallHandle(
                LINKER.defaultLookup().findOrThrow(function),
                FunctionDescriptor.of(ValueLayout.JAVA_INT, types), options)
                .asSpreader(1, long[].class, arity);
    }

    static int open(String path, int flags) {
        try (Arena arena = Arena.ofConfined()) {
            return must("open", arena.allocateFrom(path).address(), flags | O_CLOEXEC, 0600);
        }
    }

    static void mkfifo(String path) {
        try (Arena arena = Arena.ofConfined()) {
            must("mkfifo", arena.allocateFrom(path).address(), 0600);
        }
    }

    static int[] two(String function, long... arguments) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment fds = arena.allocate(8, 8);
            long[] all = Arrays.copyOf(arguments, arguments.length + 1);
            if (function.equals("pipe2")) {
                all = new long[] {fds.address(), arguments[0]};
            } else {
                all[arguments.length] = fds.address();
            }
            must(function, all);
            return fds.toArray(ValueLayout.JAVA_INT);
        }
    }

    static void nonBlocking(int fd) {
        must("fcntl", fd, F_SETFL, O_NONBLOCK | O_RDWR);
    }

    /** Writes {@code count} bytes; how many were taken, or {@code -errno}. */
    static int write(int fd, int count) {
        try (Arena arena = Arena.ofConfined()) {
            return call("write", fd, arena.allocate(Math.max(1, count)).address(), count);
        }
    }

    /** Reads at most {@code count} bytes; how many there were, or {@code -errno}. */
    static int read(int fd, int count) {
        try (Arena arena = Arena.ofConfined()) {
            return call("read", fd, arena.allocate(Math.max(1, count)).address(), count);
        }
    }

    static void sendUrgentByte(int fd) {
        final int msgOob = 1;
        try (Arena arena = Arena.ofConfined()) {
            must("send", fd, arena.allocate(1).address(), 1, msgOob);
        }
    }

    static void option(int fd, int level, int name, int... value) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment option = arena.allocateFrom(ValueLayout.JAVA_INT, value);
            must("setsockopt", fd, level, name, option.address(), option.byteSize());
        }
    }

    /** connect(2) or bind(2) to a port of 127.0.0.1. */
    static void atPort(String function, int fd, int port) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = arena.allocate(16, 8);
            address.set(ValueLayout.JAVA_SHORT, 0, (short) AF_INET);
            address.set(ValueLayout.JAVA_SHORT, 2, Short.reverseBytes((short) port));
            address.set(ValueLayout.JAVA_INT, 4, Integer.reverseBytes(0x7f000001));
            must(function, fd, address.address(), 16);
        }
    }

    /** connect(2) or bind(2) to a path. */
    static void atPath(String function, int fd, String path) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = arena.allocate(110, 8);
            address.set(ValueLayout.JAVA_SHORT, 0, (short) AF_UNIX);
            address.setString(2, path);
            must(function, fd, address.address(), 110);
        }
    }

    static int port(int fd) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = arena.allocate(16, 8);
            must("getsockname", fd, address.address(),
                    arena.allocateFrom(ValueLayout.JAVA_INT, 16).address());
            return Short.toUnsignedInt(Short.reverseBytes(address.get(ValueLayout.JAVA_SHORT, 2)));
        }
    }

    /** poll(2) without waiting. */
    static int poll(int fd, int events) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pollfd = arena.allocate(8, 8);
            pollfd.set(ValueLayout.JAVA_INT, 0, fd);
            pollfd.set(ValueLayout.JAVA_SHORT, 4, (short) events);
            must("poll", pollfd.address(), 1, 0);
            return pollfd.get(ValueLayout.JAVA_SHORT, 6) & 0xffff;
        }
    }
}
