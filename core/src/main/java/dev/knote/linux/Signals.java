package dev.knote.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodType;

/** What threads that do nothing but sleep in the kernel need of signals. */
public final class Signals {
    private static final int SIG_SETMASK = 2;
    private static final int SIGSET_BYTES = 8;
    /** SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV: what a thread does to itself. */
    private static final long SYNCHRONOUS = 1L << 3 | 1L << 4 | 1L << 6 | 1L << 7 | 1L << 10;
    private static final int INTERRUPTION = 62;
    /** struct sigaction of glibc and musl: handler 0, mask 8, flags 136, restorer 144. */
    private static final int SIGACTION_BYTES = 152;

    private Signals() {}

    /** Whether futex_waitv(2) is there and allowed. */
    public static boolean hasFutexWaitv() {
        return Waitv.ALLOWED;
    }

    /** Blocks every signal that can be blocked without harm for the calling thread, but perhaps {@link #interruption}. */
    public static void blockAll(boolean exceptInterruption) {
        if (exceptInterruption) {
            interruption();
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment mask = arena.allocate(SIGSET_BYTES, 8);
            long open = SYNCHRONOUS | (exceptInterruption ? 1L << INTERRUPTION - 1 : 0);
            mask.set(ValueLayout.JAVA_LONG, 0, ~open);
            Native.syscall(Sys.RT_SIGPROCMASK, SIG_SETMASK, mask.address(), 0, SIGSET_BYTES, 0, 0);
        }
    }

    /** A signal whose only effect is that a sleeping system call returns -EINTR. */
    public static int interruption() {
        return Interruption.NUMBER;
    }

    private static final class Waitv {
        static final boolean ALLOWED = !Boolean.getBoolean("knote.plain.futex")
                && Futex.waitv(0, 0) == -Errno.EINVAL;
    }

    private static final class Interruption {
        static final int NUMBER = install();

        /** The handler is a function of libc that takes an int, returns, and touches nothing: abs. */
        private static int install() {
            MethodHandle sigaction = Native.function(
                    "sigaction", MethodType.methodType(int.class, int.class, long.class, long.class));
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment action = arena.allocate(SIGACTION_BYTES, 8);
                action.set(ValueLayout.JAVA_LONG, 0, Native.symbol("abs").orElseThrow().address());
                int result = (int) sigaction.invokeExact(INTERRUPTION, action.address(), 0L);
                if (result != 0) {
                    throw new IllegalStateException("sigaction of signal " + INTERRUPTION + " failed");
                }
            } catch (Throwable t) {
                throw new IllegalStateException("no signal to interrupt a thread that sleeps on a word", t);
            }
            return INTERRUPTION;
        }
    }
}
