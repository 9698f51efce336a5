package dev.knote;

/** Who is told what happens in a queue. */
interface Watcher {
    /** Something was put on the queue's list, or posted to its owner, or there is another deadline. */
    void activate();

    /** The queue's ring, {@link dev.knote.poll.Poller#wordFd}, may have been made. */
    void lookForRing();

    /** The queue is being closed. */
    void innerCloses();
}
