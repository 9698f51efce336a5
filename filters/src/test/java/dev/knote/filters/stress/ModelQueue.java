package dev.knote.filters.stress;

import static dev.knote.Kqueue.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.linux.Errno;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * kqueue(2) in its plainest form, for one thread that never waits: what {@link ModelTest} compares the engine with.
 * The filters are in {@link ModelNotes}.
 */
final class ModelQueue {
    static final int KEPT = EV_ONESHOT | EV_CLEAR | EV_DISPATCH | EV_RECEIPT;

    /** struct kevent. */
    record Entry(long ident, int filter, int flags, int fflags, long data, Object udata) {
        boolean has(int bits) {
            return (flags & bits) != 0;
        }

        Key key() {
            return new Key(ident, filter);
        }
    }

    private record Key(long ident, int filter) {}

    /** What the changes of a call lead to: it fails, or it gives these answers; or else there may be events. */
    record Answer(int errno, List<Entry> entries, boolean ends) {}

    private final Map<Key, Note> notes = new HashMap<>();
    /** Those that may have an event, in the order in which they became so. */
    private final LinkedHashSet<Note> active = new LinkedHashSet<>();
    private final World world;
    /** Whether everything that happens is known in its order. */
    private final boolean ordered;

    ModelQueue(World world, boolean ordered) {
        this.world = world;
        this.ordered = ordered;
    }

    /** What is outside the queue. */
    interface World {
        /** The value of a word, or null if there is no memory. */
        Long word(long address, int bytes);

        /** How many bytes the fd has, or -1 if it is not open. */
        int readable(long fd);
    }

    /** A knote; what depends on its filter is abstract. */
    abstract static class Note {
        final World world;
        final long ident;
        int flags;
        int fflags;
        long data;
        Object udata;
        boolean disabled;
        boolean forced;
        /** Its event is on its way, and comes later. */
        boolean owed;
        /** One more event would be no mistake. */
        boolean maybe;

        Note(World world, Entry change) {
            this.world = world;
            ident = change.ident;
            flags = change.flags & KEPT;
            fflags = change.fflags;
            data = change.data;
            udata = change.udata;
        }

        /** Takes the change that makes it; 0 or an errno. */
        abstract int attach(Entry change);

        /** Takes another change; 0 or an errno. */
        abstract int touch(Entry change);

        /** Whether the condition holds. */
        abstract boolean holds();

        /** fflags and data of an event. */
        abstract Entry event(Entry actual);

        /** Whether an event may come that does not have to. */
        boolean allows() {
            return !disabled && (owed || maybe);
        }

        /** @param certain whether it had to come in this call */
        abstract void delivered(boolean certain);
    }

    Answer apply(List<Entry> changes, int nevents) {
        List<Entry> answers = new ArrayList<>();
        for (Entry change : changes) {
            if (change.filter == 0) {
                continue;
            }
            int errno = apply(change);
            if (errno != 0 || change.has(EV_RECEIPT)) {
                if (answers.size() == nevents) {
                    return new Answer(errno, answers, true);
                }
                answers.add(new Entry(change.ident, change.filter, EV_ERROR, change.fflags, errno,
                        change.udata));
            }
        }
        return new Answer(0, answers, nevents == 0 || !answers.isEmpty());
    }

    private int apply(Entry change) {
        if (change.has(EV_ENABLE) && change.has(EV_DISABLE)
                || change.has(EV_KEEPUDATA) && change.has(EV_ADD)) {
            return Errno.EINVAL;
        }
        if (change.has(EV_ANON)) {
            return wake(change);
        }
        Note note = notes.get(change.key());
        if (note == null) {
            return add(change);
        }
        if (change.has(EV_DELETE)) {
            remove(change.key());
            return 0;
        }
        int errno = note.touch(change);
        if (errno == 0) {
            modify(note, change);
        }
        return errno;
    }

    private int add(Entry change) {
        Note note = ModelNotes.of(world, change);
        if (note == null || !change.has(EV_ADD)) {
            return note == null ? Errno.EINVAL : Errno.ENOENT;
        }
        int errno = note.attach(change);
        if (errno == 0) {
            note.disabled = change.has(EV_DISABLE);
            notes.put(change.key(), note);
            ask(note);
        }
        return errno;
    }

    private void modify(Note note, Entry change) {
        if (!change.has(EV_KEEPUDATA)) {
            note.udata = change.udata;
        }
        if (change.has(EV_DISABLE)) {
            note.disabled = true;
            active.remove(note);
        } else if (change.has(EV_ADD | EV_ENABLE)) {
            note.disabled = false;
        }
        if (change.has(EV_FORCEONESHOT)) {
            note.flags |= EV_ONESHOT;
            note.forced = true;
        }
        ask(note);
    }

    /** A wake without a knote. One knote a word and queue: so the count matters only if it is 0. */
    private int wake(Entry change) {
        int errno = ModelNotes.checkWake(change);
        Note note = notes.get(change.key());
        if (errno == 0 && change.data > 0 && note != null) {
            ((ModelNotes.Word) note).wake((change.fflags & NOTE_USERMEM_PRIVATE) != 0);
            ask(note);
        }
        return errno;
    }

    /** Something happened to the fd from outside. */
    void edge(long fd) {
        Note note = notes.get(new Key(fd, EVFILT_READ));
        if (note != null) {
            ((ModelNotes.Pipe) note).edge();
            ask(note);
        }
    }

    /** A part of what could be read was: some kernels say then that there is more. */
    void partlyRead(long fd) {
        if (notes.get(new Key(fd, EVFILT_READ)) instanceof ModelNotes.Pipe pipe) {
            pipe.partlyRead();
        }
    }

    private void ask(Note note) {
        if (!note.disabled && (note.forced || note.holds())) {
            active.add(note);
        }
    }

    private static boolean fires(Note note) {
        return note.forced || note.holds();
    }

    /** Whether an event is still to come. */
    boolean owes() {
        return notes.values().stream().anyMatch(note -> note.owed && !note.disabled);
    }

    /** Compares the events that a call returned, and goes on from there. */
    void retrieved(List<Entry> events, int max) {
        List<Note> due = new ArrayList<>(active);
        due.removeIf(note -> !fires(note));
        if (ordered) {
            List<Long> expected = due.stream().limit(max).map(note -> note.ident).toList();
            assertEquals(expected, events.stream().map(Entry::ident).toList(), "idents in their order");
        }
        Set<Note> seen = new HashSet<>();
        Note last = null;
        for (Entry event : events) {
            Note note = notes.get(event.key());
            assertTrue(note != null, () -> "an event without a knote: " + event);
            assertTrue(seen.add(note), () -> "twice in a call: " + event);
            boolean certain = due.contains(note);
            assertTrue(certain || note.allows(),
                    () -> "an event without a cause: " + event);
            assertEquals(note.event(event), event, "the event");
            last = note;
        }
        if (events.size() < max) {
            due.removeAll(seen);
            assertEquals(List.of(), due.stream().map(note -> note.event(null)).toList(), "events missing");
        }
        forgetQuiet(events.size() < max ? null : last);
        events.forEach(this::deliver);
    }

    /** Those asked in vain, up to the last one delivered, are not active any more. */
    private void forgetQuiet(Note last) {
        for (Note note : List.copyOf(active)) {
            if (note == last) {
                return;
            }
            if (!fires(note)) {
                active.remove(note);
            }
        }
    }

    private void deliver(Entry event) {
        Note note = notes.get(event.key());
        note.delivered(active.remove(note));
        note.forced = false;
        if ((note.flags & EV_ONESHOT) != 0) {
            remove(event.key());
        } else if ((note.flags & EV_DISPATCH) != 0) {
            note.disabled = true;
        } else if ((note.flags & EV_CLEAR) == 0) {
            active.add(note);
        }
    }

    private void remove(Key key) {
        active.remove(notes.remove(key));
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        notes.forEach((key, note) -> text.append(key).append(note.disabled ? " disabled" : "")
                .append(note.owed ? " owed" : "").append(note.maybe ? " maybe " : " "));
        return text.toString();
    }
}
