package dev.knote.transport;

import dev.knote.Knote;

/** A word that threads wait for, and its knote, which is there while anybody does. The polling thread's. */
final class WaitedWord {
    final Word word;
    Knote knote;
    private WordWaiter first;
    private WordWaiter last;

    WaitedWord(Word word) {
        this.word = new Word(word.segment); // not a waiter, which may leave
    }

    WordWaiter first() {
        return first;
    }

    boolean isEmpty() {
        return first == null;
    }

    void add(WordWaiter waiter) {
        waiter.at = this;
        waiter.previous = last;
        if (last == null) {
            first = waiter;
        } else {
            last.next = waiter;
        }
        last = waiter;
    }

    void remove(WordWaiter waiter) {
        if (waiter.previous == null) {
            first = waiter.next;
        } else {
            waiter.previous.next = waiter.next;
        }
        if (waiter.next == null) {
            last = waiter.previous;
        } else {
            waiter.next.previous = waiter.previous;
        }
        waiter.at = null;
        waiter.previous = null;
        waiter.next = null;
    }
}
