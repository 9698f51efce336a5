package dev.knote.linux;

/**
 * The processor of a platform thread, for that thread alone to ask, and while it lives: faster than
 * {@link Threads#cpu()}, which has to find out who asks.
 */
public final class OwnCpu {
    private final long cpuId;

    private OwnCpu(long cpuId) {
        this.cpuId = cpuId;
    }

    /** That of the calling thread; an IllegalStateException for a virtual one, which has no area of its own. */
    public static OwnCpu ofCaller() {
        if (Thread.currentThread().isVirtual()) {
            throw new IllegalStateException(
                    "OwnCpu: the calling thread is virtual: expected a platform thread");
        }
        return new OwnCpu(Rseq.IS_THERE ? Rseq.cpuId() : 0);
    }

    /** The processor that the calling thread, whose this is, runs on, a moment ago; 0 where nobody can tell. */
    public int get() {
        int cpu = cpuId == 0 ? -1 : Rseq.cpu(cpuId);
        return cpu >= 0 ? cpu : Threads.cpuOfLibc();
    }
}
