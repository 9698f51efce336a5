package dev.knote.linux;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodType;
import java.lang.invoke.VarHandle;

/**
 * The area that the kernel keeps up to date for each thread, as rseq(2) has it, registered by glibc since 2.35: its
 * {@code cpu_id} is the processor that the thread runs on.
 *
 * <p>The area is a part of the thread's control block, which is unmapped when the thread is gone: to read that of a
 * thread that has ended is to crash. So each platform thread has the address in a thread-local of its own, where nobody
 * but itself, alive, finds it. A virtual thread must not ask: between learning the address and reading it, it may
 * have got another carrier, and the first one may have ended.
 */
final class Rseq {
    private static final int CPU_ID_AT = 4;
    private static final int CPU_ID_END = 8;
    private static final long NONE = Long.MIN_VALUE;
    private static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();
    private static final MemorySegment ALL = Native.memory(0, Long.MAX_VALUE);
    private static final MethodHandle SELF = Native.symbol("pthread_self").isPresent()
            ? Native.leaf("pthread_self", MethodType.methodType(long.class))
            : null;
    private static final long OFFSET = offset();
    private static final ThreadLocal<Area> AREA = ThreadLocal.withInitial(() -> new Area(cpuId()));

    /** Whether the C library has registered areas, and says where they are. */
    static final boolean IS_THERE = OFFSET != NONE;

    private Rseq() {}

    private record Area(long cpuId) {}

    /** The processor of the calling platform thread; negative if its area is not registered. */
    static int cpu() {
        return cpu(AREA.get().cpuId);
    }

    /** As {@link #cpu()}, for a thread that knows its own {@link #cpuId()}. */
    static int cpu(long cpuId) {
        return (int) INT.getOpaque(ALL, cpuId);
    }

    /** The address of the calling thread's cpu_id, which must be read by nobody else. */
    static long cpuId() {
        return self() + OFFSET + CPU_ID_AT;
    }

    /** From the thread pointer to the area; NONE but on x86-64, where alone pthread_self is the thread pointer. */
    private static long offset() {
        var offset = Native.symbol("__rseq_offset");
        var size = Native.symbol("__rseq_size");
        if (!Sys.x86() || SELF == null || offset.isEmpty() || size.isEmpty()) {
            return NONE;
        }
        if (Integer.compareUnsigned(ALL.get(ValueLayout.JAVA_INT, size.get().address()), CPU_ID_END) < 0) {
            return NONE;
        }
        long self = self();
        // The ABI has the thread pointer's own address where it points to.
        return ALL.get(ValueLayout.JAVA_LONG, self) == self
                ? ALL.get(ValueLayout.JAVA_LONG, offset.get().address())
                : NONE;
    }

    private static long self() {
        try {
            return (long) SELF.invokeExact();
        } catch (Throwable t) {
            throw new AssertionError("a downcall does not throw", t);
        }
    }
}
