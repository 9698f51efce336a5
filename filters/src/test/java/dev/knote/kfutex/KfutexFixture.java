package dev.knote.kfutex;

import dev.knote.Filter;
import dev.knote.FilterKnote;
import dev.knote.Kevent;
import dev.knote.Options;
import dev.knote.SharedMemory;
import dev.knote.filters.User;
import dev.knote.words.Words;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.AfterEach;

/** A service, words, a filter that fires when it is told to. */
abstract class KfutexFixture {
    static final int OURS = -200;

    final SharedMemory memory = SharedMemory.anonymous(4096);
    final MemorySegment word = memory.word32(1);
    final MemorySegment other = memory.word32(2);
    final ByHand byHand = new ByHand();
    final Kfutex kfutex = new Kfutex(Options.defaults().filter(byHand));

    /** A third party's filter: level triggered, fires as long as it is told to. */
    static final class ByHand implements Filter {
        volatile FilterKnote last;
        volatile boolean fires;
        volatile int error;
        volatile boolean breaks;

        @Override
        public int number() {
            return OURS;
        }

        @Override
        public String name() {
            return "BY_HAND";
        }

        @Override
        public void attach(FilterKnote knote, Kevent change) {
            last = knote;
        }

        @Override
        public boolean event(FilterKnote knote) {
            if (breaks) {
                throw new IllegalStateException("broken for the test");
            }
            knote.error(error);
            return fires;
        }
    }

    @AfterEach
    void close() {
        kfutex.close();
        memory.close();
    }

    static void awaitValue(MemorySegment word, int value) {
        Wait.until(() -> Words.get(word) == value, "value " + value);
    }

    /** The service has seen all that was there before this was called. */
    final void round() {
        Binding marker = kfutex.bind(User.of(-1), Rule.add(memory.word32(63), 1));
        for (int i = 1; i <= 2; i++) {
            marker.trigger();
            int count = i;
            Wait.until(() -> marker.fired() == count, "a round of the service");
        }
        marker.unbind();
    }
}
