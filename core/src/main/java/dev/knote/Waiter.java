package dev.knote;

/** A thread that sleeps in a queue, in the list of {@link Sleepers}. */
final class Waiter extends Padded {
    final Thread thread;
    Waiter next;
    volatile boolean signalled;
    /** It was woken to return, events or none. Under the lock of {@link Sleepers}, and read by its thread. */
    volatile boolean dismissed;

    Waiter(Thread thread) {
        this.thread = thread;
    }
}
