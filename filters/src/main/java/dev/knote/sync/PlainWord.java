package dev.knote.sync;

import dev.knote.words.Words;
import java.lang.foreign.MemorySegment;

/** A word of anybody's: available while it holds another value than the expected one. */
final class PlainWord extends Waitable {
    private int expected;

    PlainWord(MemorySegment word, int expected) {
        super(word);
        this.expected = expected;
    }

    void expect(int value) {
        expected = value;
    }

    @Override
    boolean isAvailable() {
        return Words.get(word) != expected;
    }

    @Override
    boolean take() {
        return isAvailable();
    }

    @Override
    void giveBack() {}

    @Override
    long prepare(boolean kept) {
        return isAvailable() ? AVAILABLE : expected & 0xffffffffL;
    }

    @Override
    boolean keep() {
        return true;
    }

    @Override
    void leave() {}

    @Override
    void passOn() {}

    @Override
    boolean isConsumed() {
        return false;
    }

    @Override
    int rank() {
        return 3;
    }
}
