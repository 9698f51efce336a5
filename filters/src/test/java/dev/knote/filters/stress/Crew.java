package dev.knote.filters.stress;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** The threads of a test: what one of them throws fails the test, and so does one that is stuck, with its stack. */
final class Crew implements AutoCloseable {
    interface Task {
        void run() throws Exception;
    }

    private final List<Thread> threads = new ArrayList<>();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private final Supplier<String> state;

    /** @param state says what is there to know when something is stuck */
    Crew(Supplier<String> state) {
        this.state = state;
    }

    void start(String name, Task task) {
        threads.add(Thread.ofPlatform().daemon().name(name).start(() -> {
            try {
                task.run();
            } catch (Throwable t) {
                failure.compareAndSet(null, t);
            }
        }));
    }

    boolean hasFailed() {
        return failure.get() != null;
    }

    /** Waits, awake at first, until {@code condition} holds; fails when patience or another thread is lost. */
    void await(String what, BooleanSupplier condition) {
        long end = System.nanoTime() + StressSize.PATIENCE.toNanos();
        for (int looks = 0; !condition.getAsBoolean(); looks++) {
            if (looks < 50) {
                Thread.onSpinWait();
            } else {
                Thread.yield();
            }
            if (looks % 64 == 63 && (hasFailed() || System.nanoTime() > end)) {
                throw stuck(what);
            }
        }
    }

    /** Ends when all threads have; fails if that takes longer than {@code patience}. */
    void join(Duration patience) throws InterruptedException {
        long end = System.nanoTime() + patience.toNanos();
        for (Thread thread : threads) {
            while (thread.isAlive() && !hasFailed() && System.nanoTime() < end) {
                thread.join(20);
            }
            if (thread.isAlive()) {
                throw stuck(thread.getName() + " to end");
            }
        }
        if (hasFailed()) {
            throw new AssertionError("a thread failed; " + state.get(), failure.get());
        }
    }

    /** Runs a moment of random length, so that what races meets at another point each time. */
    static void jitter(int mostSpins) {
        for (int i = ThreadLocalRandom.current().nextInt(mostSpins); i > 0; i--) {
            Thread.onSpinWait();
        }
    }

    private AssertionError stuck(String what) {
        StringBuilder text = new StringBuilder("waited in vain for ").append(what).append("; ")
                .append(state.get());
        for (Thread thread : threads) {
            text.append("\n  ").append(thread.getName()).append(' ').append(thread.getState());
            for (StackTraceElement frame : thread.getStackTrace()) {
                text.append("\n    ").append(frame);
            }
        }
        return new AssertionError(text.toString(), failure.get());
    }

    @Override
    public void close() {
        failure.compareAndSet(null, new AssertionError("the test is over"));
        for (Thread thread : threads) {
            thread.interrupt();
        }
        try {
            for (Thread thread : threads) {
                thread.join(StressSize.PATIENCE.toMillis());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
