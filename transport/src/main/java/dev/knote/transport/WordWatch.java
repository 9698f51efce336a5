package dev.knote.transport;

import dev.knote.KeventException;

/** Somebody who watches a word on a loop, by {@link LoopWords}. Belongs to the loop. */
abstract class WordWatch {
    final Word word;
    final boolean isPrivate;
    final boolean onlyChanges;
    /** The value that was seen last: a word that is another when the watch begins has changed. */
    long seen;
    /** What it is watched by at present, or null. */
    LoopWord at;

    /** @param how says whether it is private, and whether only changes count */
    WordWatch(Word word, MemoryWordAddress how, long seen) {
        this.word = word;
        this.isPrivate = how.isPrivate();
        this.onlyChanges = how.isOnlyChanges();
        this.seen = word.normal(seen);
    }

    /**
     * The word was woken, or was not {@link #seen} when the watch began; this is its value now: another one if
     * {@link #onlyChanges}.
     */
    abstract void changed(long value);

    /** The word's memory is gone, or the kernel refuses to wait for it; the watch has ended. */
    abstract void failed(KeventException why);

    final void take(long value) {
        if (onlyChanges && value == seen) {
            return;
        }
        seen = value;
        changed(value);
    }
}
