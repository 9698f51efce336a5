package dev.knote.linux;

/**
 * membarrier(2): a fence on every processor that runs a thread of this process, made by one thread for all of them. So
 * the others need none where one of two sides is rare.
 */
public final class Membarrier {
    private static final int PRIVATE_EXPEDITED = 1 << 3;
    private static final int REGISTER_PRIVATE_EXPEDITED = 1 << 4;

    /** False where the kernel does not have it or forbids it. */
    public static final boolean IS_THERE = call(REGISTER_PRIVATE_EXPEDITED) == 0;

    private Membarrier() {}

    /**
     * Whatever another thread has stored by its program's order before it passes this moment is seen afterwards, and
     * whatever it loads after that moment sees what was stored before. Takes microseconds.
     */
    public static void fenceAll() {
        int result = call(PRIVATE_EXPEDITED);
        if (result < 0) {
            throw new IllegalStateException(
                    "membarrier: errno " + -result + ", after the process was registered for it");
        }
    }

    private static int call(int command) {
        return (int) Native.syscall(Sys.MEMBARRIER, command, 0, 0);
    }
}
