package dev.knote;

/** A thread that sleeps in a queue, in the list of {@link ReadyList}. */
final class Waiter {
    final Thread thread;
    Waiter next;
    volatile boolean signalled;

    Waiter(Thread thread) {
        this.thread = thread;
    }
}
