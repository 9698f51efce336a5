package dev.knote.transport;

import java.util.Arrays;

/** A word that is watched on a loop: one knote, and all who watch it. */
final class LoopWord {
    private static final WordWatch[] NONE = {};

    final Word word;
    final boolean isPrivate;
    /** All of them want only changes: a knote of one shot, that is made again with the loop's wait. */
    boolean onlyChanges;
    /** The value that the knote was made with. */
    long expected;
    Registration.Watch knote;
    /** Replaced, not changed, as watches come and go while it is gone through. */
    private WordWatch[] watches = NONE;

    LoopWord(WordWatch first) {
        word = first.word;
        isPrivate = first.isPrivate;
        onlyChanges = first.onlyChanges;
        expected = first.seen;
    }

    WordWatch[] watches() {
        return watches;
    }

    boolean isEmpty() {
        return watches.length == 0;
    }

    void add(WordWatch watch) {
        watches = Arrays.copyOf(watches, watches.length + 1);
        watches[watches.length - 1] = watch;
        watch.at = this;
    }

    void remove(WordWatch watch) {
        watch.at = null;
        watches = watches.length == 1 ? NONE
                : Arrays.stream(watches).filter(other -> other != watch).toArray(WordWatch[]::new);
    }

    /** All of them, who watch it no more. */
    WordWatch[] removeAll() {
        WordWatch[] all = watches;
        watches = NONE;
        for (WordWatch watch : all) {
            watch.at = null;
        }
        return all;
    }
}
