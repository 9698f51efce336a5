package dev.knote.filters.conformance;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Threads that each make one call, which may block. */
public final class Callers<T> implements AutoCloseable {
    private final List<Thread> threads = new ArrayList<>();
    private final List<FutureTask<T>> tasks = new ArrayList<>();

    private Callers() {}

    public static <T> Callers<T> start(int n, Callable<T> call) {
        Callers<T> callers = new Callers<>();
        for (int i = 0; i < n; i++) {
            var task = new FutureTask<>(call);
            callers.tasks.add(task);
            callers.threads.add(Thread.ofPlatform().daemon().name("caller-" + i).start(task));
        }
        return callers;
    }

    public static <T> Callers<T> start(Callable<T> call) {
        return start(1, call);
    }

    /** Returns when all of them sleep, parked or in a system call. */
    public Callers<T> awaitBlocked() {
        for (Thread thread : threads) {
            Kq.await(thread + " blocks", () -> sleeps(thread) && sleeps(thread));
        }
        return this;
    }

    public Thread thread(int i) {
        return threads.get(i);
    }

    /** Whether any has returned within this time. */
    public boolean anyReturnsWithin(long millis) {
        try {
            for (Thread thread : threads) {
                if (thread.join(java.time.Duration.ofMillis(millis / threads.size()))) {
                    return true;
                }
            }
            return false;
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** How many have returned. */
    public long returned() {
        return tasks.stream().filter(FutureTask::isDone).count();
    }

    /** What the calls returned. A call that threw a runtime exception throws it here. */
    public List<T> results() {
        List<T> results = new ArrayList<>();
        for (FutureTask<T> task : tasks) {
            results.add(get(task));
        }
        return results;
    }

    public T result() {
        return results().getFirst();
    }

    @Override
    public void close() {
        threads.forEach(Thread::interrupt);
    }

    private static <T> T get(FutureTask<T> task) {
        try {
            return task.get(Kq.LONG.toSeconds(), TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case RuntimeException cause -> throw cause;
                case Error cause -> throw cause;
                default -> throw new IllegalStateException(e.getCause());
            }
        } catch (TimeoutException e) {
            throw new AssertionError("the call does not return", e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static boolean sleeps(Thread thread) {
        return switch (thread.getState()) {
            case WAITING, TIMED_WAITING -> true;
            case RUNNABLE -> {
                StackTraceElement[] stack = thread.getStackTrace();
                yield List.of(stack).stream().limit(12).anyMatch(
                        frame -> frame.getClassName().equals("dev.knote.linux.Native"));
            }
            default -> false;
        };
    }
}
