package dev.knote.filters.conformance;

import static dev.knote.Kqueue.*;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.knote.KeventException;
import dev.knote.KeventList;
import dev.knote.Kqueue;
import dev.knote.SharedMemory;
import dev.knote.linux.Errno;
import java.lang.foreign.MemorySegment;
import java.time.Duration;

/** What {@link FilterContractTest} does with each filter: something to watch, and how to make it fire. */
abstract class Subjects extends FdFixture {
    /** Of timers: long against {@link #SHORT}, so that none expires unawares. */
    private static final Duration PERIOD = Duration.ofMillis(200);

    enum Kind {
        READ, WRITE, TIMER, USER, USERMEM
    }

    /** One thing to watch. */
    abstract static class Subject {
        final int filter;

        Subject(int filter) {
            this.filter = filter;
        }

        /** A change of the knote. */
        abstract void set(KeventList list, int flags, Object udata);

        /** Makes its knote in each of the queues fire; can be done again. */
        abstract void cause(int... queues);

        abstract long ident();

        /** Whether the condition goes on holding after an event, without EV_CLEAR. */
        boolean isLevel() {
            return true;
        }
    }

    Subject subject(Kind kind) {
        return switch (kind) {
            case READ -> {
                int[] pipe = pipe();
                yield new Fd(EVFILT_READ, pipe[0]) {
                    @Override
                    void cause(int... queues) {
                        write(pipe[1], 1);
                    }
                };
            }
            case WRITE -> {
                int[] pipe = pipe();
                fill(pipe[1]);
                yield new Fd(EVFILT_WRITE, pipe[1]) {
                    @Override
                    void cause(int... queues) {
                        fill(pipe[1]);
                        drain(pipe[0]);
                    }
                };
            }
            case TIMER -> new Timer();
            case USER -> new User();
            case USERMEM -> new Word(words());
        };
    }

    private SharedMemory words() {
        SharedMemory memory = SharedMemory.anonymous(4096);
        atEnd(memory::close);
        return memory;
    }

    private abstract static class Fd extends Subject {
        private final int fd;

        Fd(int filter, int fd) {
            super(filter);
            this.fd = fd;
        }

        @Override
        void set(KeventList list, int flags, Object udata) {
            EV_SET(list, 0, fd, filter, flags, 0, 0, udata);
        }

        @Override
        long ident() {
            return fd;
        }
    }

    private static final class Timer extends Subject {
        Timer() {
            super(EVFILT_TIMER);
        }

        @Override
        void set(KeventList list, int flags, Object udata) {
            EV_SET(list, 0, 5, filter, flags, 0, PERIOD.toMillis(), udata);
        }

        @Override
        void cause(int... queues) {
            passes(PERIOD.plusMillis(2));
        }

        @Override
        long ident() {
            return 5;
        }

        @Override
        boolean isLevel() {
            return false;
        }
    }

    private static final class User extends Subject {
        User() {
            super(EVFILT_USER);
        }

        @Override
        void set(KeventList list, int flags, Object udata) {
            EV_SET(list, 0, 6, filter, flags, 0, 0, udata);
        }

        @Override
        void cause(int... queues) {
            for (int queue : queues) {
                KeventList list = KeventList.allocate(1);
                EV_SET(list, 0, 6, filter, EV_KEEPUDATA, NOTE_TRIGGER, 0, null);
                try {
                    kevent(queue, list, 1, null, 0, null);
                } catch (KeventException e) {
                    assertEquals(Errno.ENOENT, e.errno()); // nothing to trigger
                }
            }
        }

        @Override
        long ident() {
            return 6;
        }
    }

    private static final class Word extends Subject {
        private final MemorySegment word;

        Word(SharedMemory memory) {
            super(EVFILT_USERMEM);
            word = memory.word32(3);
        }

        @Override
        void set(KeventList list, int flags, Object udata) {
            EV_SET(list, 0, word, filter, flags, NOTE_USERMEM_INT, 0, udata);
        }

        @Override
        void cause(int... queues) {
            KeventList list = KeventList.allocate(1);
            EV_SET(list, 0, word, filter, EV_ANON, NOTE_TRIGGER, 1000, null);
            kevent(Kqueue.KQUEUE_FD_ANON, list, 1, null, 0, null);
        }

        @Override
        long ident() {
            return word.address();
        }

        @Override
        boolean isLevel() {
            return false;
        }
    }
}
