package dev.knote.filters.usermem;

import static dev.knote.Kqueue.EVFILT_USERMEM;
import static dev.knote.Kqueue.EV_ADD;
import static dev.knote.Kqueue.EV_ONESHOT;
import static dev.knote.Kqueue.NOTE_USERMEM_PRIVATE;

import dev.knote.KeventList;
import dev.knote.Kqueue;
import dev.knote.SharedMemory;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/** The program of the other JVM: does with queues what futexes.c does with futex(2), at the same commands. */
final class PeerMain {
    private static MemorySegment base;

    private PeerMain() {}

    public static void main(String[] arguments) throws IOException {
        var in = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = in.readLine()) != null;) {
            String[] words = line.split(" ");
            switch (words[0]) {
                case "map" -> map(words[1]);
                case "wait" -> waitForWord(words);
                case "wake" -> wake(words);
                case "store" -> store(words);
                default -> throw new IllegalArgumentException(line);
            }
        }
    }

    private static void map(String path) {
        base = SharedMemory.map(Path.of(path)).segment();
        say("mapped " + base.byteSize());
    }

    /** Each wait has a queue of its own, as each has a thread of its own in C. */
    private static void waitForWord(String[] words) {
        Width width = width(words[4]);
        int fflags = width.fflags | privately(words[5]);
        int kq = Kqueue.kqueue();
        KeventList list = KeventList.allocate(1);
        list.set(0, word(words[2], width), EVFILT_USERMEM, EV_ADD | EV_ONESHOT, fflags,
                Long.parseLong(words[3]),
                null);
        Kqueue.kevent(kq, list, 1, null, 0, null);
        Thread.ofPlatform().daemon().start(() -> {
            Kqueue.kevent(kq, null, 0, list, 1, null);
            say("woken " + words[1] + " " + list.flags(0));
            Kqueue.close(kq);
        });
        say("waiting " + words[1]);
    }

    private static void wake(String[] words) {
        Queue.anonWake(word(words[1], Width.INT), Long.parseLong(words[2]), privately(words[3]));
        say("woke -1");
    }

    private static void store(String[] words) {
        Width width = width(words[3]);
        width.store(word(words[1], width), Long.parseLong(words[2]));
        say("stored");
    }

    private static MemorySegment word(String offset, Width width) {
        return base.asSlice(Long.parseLong(offset), width.bytes, width.bytes);
    }

    private static Width width(String bits) {
        return bits.equals("64") ? Width.LONG : Width.INT;
    }

    private static int privately(String isPrivate) {
        return isPrivate.equals("1") ? NOTE_USERMEM_PRIVATE : 0;
    }

    private static synchronized void say(String answer) {
        System.out.println("> " + answer);
    }
}
