package dev.knote.poll;

/** The half of a {@link Poller} that waits for words; the methods are the Poller's. */
interface Words {
    void arm(WordWait wait);

    boolean disarm(WordWait wait);

    void flush();

    void wake(long[] addresses, int[] counts, int n);

    /** Ends every wait: one that a wake was counted for by {@link WordWait#ended} with 0, the others silently. */
    void disarmAll();

    void close();
}
