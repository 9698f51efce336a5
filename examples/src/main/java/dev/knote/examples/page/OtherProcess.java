package dev.knote.examples.page;

import dev.knote.examples.DemoPeers;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/**
 * The process that changes the words: a C program, or a JVM where none can be compiled. It is started again when it
 * dies, unless it does so at once again and again. Its id is a word itself, so that pages see it come and go.
 */
final class OtherProcess implements AutoCloseable {
    static final int GIVEN_UP = -1;

    private static final int MOST_FAILURES = 5;
    private static final long SOON_NANOS = 3_000_000_000L;
    private static final Executor LATER = CompletableFuture.delayedExecutor(1, TimeUnit.SECONDS);

    private final DemoPeers peers = new DemoPeers();
    private final Words words;
    private final String whyNoC;
    private int failures;
    private boolean closed;

    OtherProcess(Words words) throws IOException, InterruptedException {
        this.words = words;
        boolean made = false;
        try {
            whyNoC = peers.compile(OtherProcess.class, "words-peer.c");
            start();
            made = true;
        } finally {
            if (!made) {
                peers.close();
            }
        }
    }

    /** What it is. */
    String kind() {
        return whyNoC == null ? "a C program" : "a second JVM, as " + whyNoC;
    }

    private void start() throws IOException {
        String path = words.path().toString();
        long start = System.nanoTime();
        Process process = whyNoC == null ? peers.startC(path) : peers.startJvm(WordsPeer.class, path);
        words.change(Word.PROCESS, (int) process.pid());
        process.onExit().thenRun(() -> died(System.nanoTime() - start < SOON_NANOS));
    }

    private synchronized void died(boolean soon) {
        if (closed) {
            return;
        }
        failures = soon ? failures + 1 : 0;
        if (failures >= MOST_FAILURES) {
            words.change(Word.PROCESS, GIVEN_UP);
            return;
        }
        words.change(Word.PROCESS, 0);
        LATER.execute(this::again);
    }

    private synchronized void again() {
        if (closed) {
            return;
        }
        try {
            start();
        } catch (IOException e) {
            died(true);
        }
    }

    @Override
    public void close() {
        synchronized (this) {
            closed = true;
        }
        peers.close();
    }
}
