package dev.knote.benchmarks;

import static dev.knote.Kqueue.*;

import dev.knote.EventQueue;
import dev.knote.KeventList;
import dev.knote.Options;
import dev.knote.SharedMemory;
import java.lang.foreign.MemorySegment;

/** Wakes of words and their events, by one thread. */
final class WordOperations implements Operation {
    private static final int STRIDE = 7919;

    private final boolean anon;
    private final boolean delivers;
    private final int perCall;
    private final int kq;
    private final MemorySegment[] words;
    private final KeventList wakes;
    private final KeventList events;
    private final int wakeFflags;
    private int next;

    /**
     * @param argument how many words are armed; how many are woken in a changelist; anon or queue (who wakes); shared or
     *     private (the words); owner or shared (the queue); event, or none to wake where nobody waits
     */
    WordOperations(String argument) {
        String[] parts = argument.split(",");
        int armed = Integer.parseInt(parts[0]);
        perCall = Integer.parseInt(parts[1]);
        anon = parts[2].equals("anon");
        int isPrivate = parts[3].equals("private") ? NOTE_USERMEM_PRIVATE : 0;
        Options options = Options.defaults();
        kq = EventQueue.open(parts[4].equals("owner") ? options.singleOwner() : options).fd();
        delivers = parts[5].equals("event");
        words = new MemorySegment[armed];
        wakes = KeventList.allocate(perCall);
        events = KeventList.allocate(perCall);
        wakeFflags = NOTE_TRIGGER | isPrivate;
        SharedMemory memory = SharedMemory.anonymous((long) armed * SharedMemory.LINE);
        for (int i = 0; i < armed; i++) {
            words[i] = memory.word32(i);
            if (delivers) {
                EV_SET(events, 0, words[i], EVFILT_USERMEM, EV_ADD, NOTE_USERMEM_INT | isPrivate, 0, null);
                kevent(kq, events, 1, null, 0, null);
            }
        }
    }

    @Override
    public void run(int n) {
        for (int i = 0; i < n; i += perCall) {
            for (int k = 0; k < perCall; k++) {
                next = (next + STRIDE) % words.length;
                SharedMemory.add32(words[next], 1);
                EV_SET(wakes, k, words[next], EVFILT_USERMEM, EV_ANON, wakeFflags, 1, null);
            }
            kevent(anon ? KQUEUE_FD_ANON : kq, wakes, perCall, null, 0, null);
            for (int got = 0; delivers && got < perCall;) {
                got += kevent(kq, null, 0, events, perCall, null);
            }
        }
    }
}
