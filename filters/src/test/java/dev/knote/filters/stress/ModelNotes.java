package dev.knote.filters.stress;

import static dev.knote.Kqueue.*;

import dev.knote.filters.stress.ModelQueue.Entry;
import dev.knote.filters.stress.ModelQueue.Note;
import dev.knote.filters.stress.ModelQueue.World;
import dev.knote.linux.Errno;

/** The filters of {@link ModelQueue}. */
final class ModelNotes {
    private ModelNotes() {}

    /** Null if there is no such filter. */
    static Note of(World world, Entry change) {
        return switch (change.filter()) {
            case EVFILT_USER -> new User(world, change);
            case EVFILT_USERMEM -> new Word(world, change);
            case EVFILT_READ -> new Pipe(world, change);
            case EVFILT_TIMER -> new Timer(world, change);
            default -> null;
        };
    }

    static Entry event(Note note, int filter, int fflags, long data) {
        return new Entry(note.ident, filter, note.flags, fflags, data, note.udata);
    }

    private static final class User extends Note {
        private boolean triggered;

        User(World world, Entry change) {
            super(world, change);
        }

        @Override
        int attach(Entry change) {
            fflags = change.fflags() & NOTE_FFLAGSMASK;
            triggered = (change.fflags() & NOTE_TRIGGER) != 0;
            return 0;
        }

        @Override
        int touch(Entry change) {
            int own = change.fflags() & NOTE_FFLAGSMASK;
            switch (change.fflags() & NOTE_FFCTRLMASK) {
                case NOTE_FFAND -> fflags &= own;
                case NOTE_FFOR -> fflags |= own;
                case NOTE_FFCOPY -> fflags = own;
                default -> {
                }
            }
            data = change.data();
            triggered = !change.has(EV_CLEAR) && (triggered || (change.fflags() & NOTE_TRIGGER) != 0);
            return 0;
        }

        @Override
        boolean holds() {
            return triggered;
        }

        @Override
        Entry event(Entry actual) {
            return ModelNotes.event(this, EVFILT_USER, triggered ? fflags : 0, triggered ? data : 0);
        }

        @Override
        void delivered(boolean certain) {
            triggered &= (flags & EV_CLEAR) == 0;
        }
    }

    static final class Word extends Note {
        private boolean fires;
        private boolean armed;
        private boolean armedPrivately;

        Word(World world, Entry change) {
            super(world, change);
        }

        @Override
        int attach(Entry change) {
            int errno = check(change);
            if (errno == 0 && world.word(ident, 4) == null) {
                errno = Errno.EFAULT;
            }
            if (errno == 0) {
                flags |= EV_CLEAR;
                fires = value() != (bytes() == 4 ? (int) data : data);
                armed = !fires;
                armedPrivately = isPrivate();
            }
            return errno;
        }

        @Override
        int touch(Entry change) {
            if (!change.has(EV_ADD)) {
                fires |= (change.fflags() & NOTE_TRIGGER) != 0;
                return 0;
            }
            int errno = check(change);
            if (errno == 0 && (fflags != change.fflags() || data != change.data())) {
                fflags = change.fflags();
                data = change.data();
                fires = true;
            }
            return errno;
        }

        /** A private wake is here at once; another one comes by way of the kernel. */
        void wake(boolean privately) {
            if (armed && armedPrivately == privately) {
                owed |= !privately;
                armed = !privately;
                fires |= privately;
            }
        }

        @Override
        boolean holds() {
            return fires;
        }

        @Override
        Entry event(Entry actual) {
            return ModelNotes.event(this, EVFILT_USERMEM, fflags, value());
        }

        /** A wake that was on its way may be part of an event that had another cause, or be one more. */
        @Override
        void delivered(boolean certain) {
            maybe = certain ? maybe || owed : maybe && owed;
            owed = false;
            fires = false;
            if (armedPrivately != isPrivate()) {
                maybe = false;
            }
            armed = true;
            armedPrivately = isPrivate();
        }

        private static int check(Entry change) {
            boolean isInt = (change.fflags() & NOTE_USERMEM_INT) != 0;
            boolean isLong = (change.fflags() & NOTE_USERMEM_LONG) != 0;
            int known = NOTE_USERMEM_INT | NOTE_USERMEM_LONG | NOTE_USERMEM_PRIVATE;
            boolean valid = isInt != isLong && (change.fflags() & ~known) == 0
                    && change.ident() % (isLong ? 8 : 4) == 0;
            return valid ? 0 : Errno.EINVAL;
        }

        private int bytes() {
            return (fflags & NOTE_USERMEM_LONG) != 0 ? 8 : 4;
        }

        private boolean isPrivate() {
            return (fflags & NOTE_USERMEM_PRIVATE) != 0;
        }

        private long value() {
            return world.word(ident, bytes());
        }
    }

    static int checkWake(Entry change) {
        boolean valid = change.filter() == EVFILT_USERMEM
                && (change.fflags() & ~NOTE_USERMEM_PRIVATE) == NOTE_TRIGGER
                && change.ident() % 4 == 0
                && change.data() >= 0;
        return valid ? 0 : Errno.EINVAL;
    }

    static final class Pipe extends Note {
        /** How often the kernel has spoken, and whether the condition was found by a change, since the last event. */
        private int edges;
        private boolean asked;

        Pipe(World world, Entry change) {
            super(world, change);
        }

        @Override
        int attach(Entry change) {
            int bytes = world.readable(ident);
            edges = bytes > 0 ? 1 : 0;
            return bytes < 0 ? Errno.EBADF : 0;
        }

        @Override
        int touch(Entry change) {
            fflags = change.fflags();
            data = change.data();
            asked = true;
            return 0;
        }

        void edge() {
            edges++;
        }

        void partlyRead() {
            edges++;
            maybe = true;
        }

        @Override
        boolean holds() {
            int bytes = world.readable(ident);
            return bytes > 0 && ((fflags & NOTE_LOWAT) == 0 || bytes >= data);
        }

        @Override
        boolean allows() {
            return super.allows() && holds();
        }

        @Override
        Entry event(Entry actual) {
            boolean stale = forced && actual != null; // as many as there were when it was forced
            return ModelNotes.event(this, EVFILT_READ, 0, stale ? actual.data() : world.readable(ident));
        }

        @Override
        void delivered(boolean certain) {
            maybe = edges > 1 || asked && edges > 0 || maybe && certain;
            edges = 0;
            asked = false;
        }
    }

    private static final class Timer extends Note {
        private static final long LONG_AGO = 1_000;
        private boolean due;

        Timer(World world, Entry change) {
            super(world, change);
        }

        @Override
        int attach(Entry change) {
            flags |= EV_CLEAR;
            return start(change);
        }

        @Override
        int touch(Entry change) {
            return change.has(EV_ADD) ? start(change) : 0;
        }

        /** A moment is long ago or far away; a period is long, a delay 0 or long. */
        private int start(Entry change) {
            int units = change.fflags() & 0xf;
            if (change.data() < 0 || (change.fflags() & ~0x1f) != 0 || Integer.bitCount(units) > 1) {
                return Errno.EINVAL;
            }
            fflags = change.fflags();
            flags = flags & ~EV_ONESHOT | change.flags() & EV_ONESHOT;
            due = (fflags & NOTE_ABSTIME) != 0 ? change.data() <= LONG_AGO : change.data() == 0;
            return 0;
        }

        @Override
        boolean holds() {
            return due;
        }

        @Override
        Entry event(Entry actual) {
            return ModelNotes.event(this, EVFILT_TIMER, due ? fflags : 0, due ? 1 : 0);
        }

        @Override
        void delivered(boolean certain) {
            due = false;
        }
    }
}
