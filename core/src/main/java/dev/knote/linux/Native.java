package dev.knote.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodType;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The only class that talks to {@link Linker}. Every system call goes through libc's {@code syscall} by one method
 * handle: linking a handle costs milliseconds, calling it costs nanoseconds.
 */
@SuppressWarnings("restricted")
public final class Native {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final Linker.Option ERRNO = Linker.Option.captureCallState("errno");
    private static final MemoryLayout CAPTURE = Linker.Option.captureStateLayout();
    private static final long ERRNO_AT = CAPTURE.byteOffset(MemoryLayout.PathElement.groupElement("errno"));

    /**
     * Not final on purpose: a constant handle is inlined into its callers, and where they are deep the compiler stops in
     * the middle of it, which costs 40 bytes of garbage a call. This one is compiled by itself, for the same time.
     */
    private static MethodHandle syscall = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("syscall"),
            FunctionDescriptor.of(
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_LONG),
            Linker.Option.firstVariadicArg(1),
            ERRNO);

    /** A capture segment a thread: an errno shared between threads is somebody else's errno. */
    private static final ThreadLocal<MemorySegment> CAPTURED = ThreadLocal
            .withInitial(() -> Arena.ofAuto().allocate(CAPTURE));

    private Native() {}

    /** Makes a system call; returns its result, or {@code -errno}. */
    public static long syscall(long number, long a, long b, long c, long d, long e, long f) {
        MemorySegment captured = CAPTURED.get();
        long result;
        try {
            result = (long) syscall.invokeExact(captured, number, a, b, c, d, e, f);
        } catch (Throwable t) {
            throw new AssertionError("a downcall does not throw", t);
        }
        return result == -1 ? -captured.get(ValueLayout.JAVA_INT, ERRNO_AT) : result;
    }

    /** As {@link #syscall(long, long, long, long, long, long, long)}, with up to three arguments. */
    public static long syscall(long number, long a, long b, long c) {
        return syscall(number, a, b, c, 0, 0, 0);
    }

    /** The {@code size} bytes of memory at {@code address}, without a lifetime: the caller keeps them mapped. */
    public static MemorySegment memory(long address, long size) {
        return MemorySegment.ofAddress(address).reinterpret(size);
    }

    /** The {@code size} bytes of memory at {@code address}, as long as {@code arena} lives; {@code unmap} ends them. */
    public static MemorySegment memory(long address, long size, Arena arena, Consumer<MemorySegment> unmap) {
        return MemorySegment.ofAddress(address).reinterpret(size, arena, unmap);
    }

    /** The address of a symbol of the C library, if it has it. */
    public static Optional<MemorySegment> symbol(String name) {
        return LINKER.defaultLookup().find(name);
    }

    /** A handle for a C function whose arguments and result are of {@code type}'s Java types (int, long). */
    public static MethodHandle function(String name, MethodType type) {
        return function(name, type, new Linker.Option[0]);
    }

    /** As {@link #function}, of one that ends at once: the JVM takes no note of the call. */
    public static MethodHandle leaf(String name, MethodType type) {
        return function(name, type, Linker.Option.critical(false));
    }

    private static MethodHandle function(String name, MethodType type, Linker.Option... options) {
        MemoryLayout[] arguments = type.parameterList().stream().map(Native::layout)
                .toArray(MemoryLayout[]::new);
        return LINKER.downcallHandle(
                LINKER.defaultLookup().findOrThrow(name),
                FunctionDescriptor.of(layout(type.returnType()), arguments), options);
    }

    private static MemoryLayout layout(Class<?> type) {
        return type == int.class ? ValueLayout.JAVA_INT : ValueLayout.JAVA_LONG;
    }
}
