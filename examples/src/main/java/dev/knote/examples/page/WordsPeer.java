package dev.knote.examples.page;

import static dev.knote.Kqueue.*;

import dev.knote.KeventList;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/** The other process where there is no C compiler: what words-peer.c is, in a JVM. */
final class WordsPeer {
    private static final Word[] BUSY = {Word.TICKS, Word.WALK, Word.BITS};
    private static final long[] EVERY_MILLIS = {50, 110, 270};

    private final Words words;
    private final KeventList list = KeventList.allocate(1);
    private final long[] due = new long[BUSY.length];

    private WordsPeer(Words words) {
        this.words = words;
    }

    /** Argument: the memory's path. Ends when the process is gone that started it. */
    static void main(String[] arguments) {
        ProcessHandle parent = ProcessHandle.current().parent().orElseThrow();
        try (var words = Words.map(Path.of(arguments[0]))) {
            var peer = new WordsPeer(words);
            while (parent.isAlive()) {
                peer.step();
            }
        }
    }

    private void step() {
        int question = words.value(Word.QUESTION);
        if (words.value(Word.ANSWER) != question * question) {
            words.change(Word.ANSWER, question * question);
        }
        long now = System.nanoTime();
        long next = Long.MAX_VALUE;
        for (int i = 0; i < BUSY.length; i++) {
            if (now >= due[i]) {
                words.change(BUSY[i], next(BUSY[i], words.value(BUSY[i])));
                due[i] = now + EVERY_MILLIS[i] * 1_000_000;
            }
            next = Math.min(next, due[i]);
        }
        EV_SET(list, 0, words.word(Word.QUESTION), EVFILT_USERMEM, EV_ADD | EV_ONESHOT, NOTE_USERMEM_INT,
                question,
                null);
        kevent(KQUEUE_FD_ANON, list, 1, list, 1, Duration.ofNanos(Math.max(0, next - System.nanoTime())));
    }

    private static int next(Word word, int value) {
        return switch (word) {
            case WALK -> Math.max(0, value + ThreadLocalRandom.current().nextInt(-10, 11));
            case BITS -> value == 0 ? 1 : Integer.rotateLeft(value, 1);
            default -> value + 1;
        };
    }
}
