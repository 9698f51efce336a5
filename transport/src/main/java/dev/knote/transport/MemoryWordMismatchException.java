package dev.knote.transport;

/** A compare-and-set found another value: nothing was written, and nobody woken for it. Has no stack trace. */
public final class MemoryWordMismatchException extends MemoryWordException {
    private static final long serialVersionUID = 1L;

    private final long expected;
    private final long witness;

    MemoryWordMismatchException(MemoryWordAddress word, long expected, long witness) {
        super(word, "compareAndSet: the value is " + witness + ": expected " + expected, null);
        this.expected = expected;
        this.witness = witness;
    }

    /** The value that was expected. */
    public long expected() {
        return expected;
    }

    /** The value that was there. */
    public long witness() {
        return witness;
    }

    @Override
    public synchronized Throwable fillInStackTrace() {
        return this;
    }
}
