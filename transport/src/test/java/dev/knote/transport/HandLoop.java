package dev.knote.transport;

import io.netty.channel.IoHandle;
import io.netty.channel.IoHandler;
import io.netty.channel.IoHandlerContext;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.IoRegistration;
import io.netty.util.concurrent.ThreadAwareExecutor;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * An event loop driven by hand, on the thread that has made it, or {@link #moveHere moved} it to itself: a
 * handler, and a context that says what a test wants it to. Only {@link #execute} is for other threads.
 */
final class HandLoop implements ThreadAwareExecutor, IoHandlerContext, AutoCloseable {
    final IoHandler handler;
    final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    /** What is left of the time, when asked. */
    long delayNanos;
    /** Done when the loop asks whether it can block: with the number of times it has asked in this turn. */
    java.util.function.IntConsumer whenAsked = times -> {};
    boolean reports;
    long reported = -1;
    private volatile Thread thread = Thread.currentThread();
    private int asked;

    HandLoop() {
        this(KnoteIoHandler.newFactory());
    }

    HandLoop(IoHandlerFactory factory) {
        handler = factory.newHandler(this);
        handler.initialize();
    }

    /** The loop was suspended, and goes on in the calling thread. */
    void moveHere() {
        thread = Thread.currentThread();
        handler.initialize();
    }

    /** One turn, at most so long asleep, then the tasks; returns how many handles had an event. */
    int turn(long nanos) {
        delayNanos = nanos;
        asked = 0;
        int handled = handler.run(this);
        runTasks();
        return handled;
    }

    void runTasks() {
        for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
            task.run();
        }
    }

    IoRegistration register(IoHandle handle) throws Exception {
        return handler.register(handle);
    }

    @Override
    public boolean isExecutorThread(Thread candidate) {
        return candidate == thread;
    }

    @Override
    public void execute(Runnable task) {
        tasks.add(task);
        if (Thread.currentThread() != thread) {
            handler.wakeup();
        }
    }

    @Override
    public boolean canBlock() {
        whenAsked.accept(++asked);
        return tasks.isEmpty();
    }

    @Override
    public long delayNanos(long currentTimeNanos) {
        return delayNanos;
    }

    @Override
    public long deadlineNanos() {
        return -1;
    }

    @Override
    public boolean shouldReportActiveIoTime() {
        return reports;
    }

    @Override
    public void reportActiveIoTime(long activeNanos) {
        reported = activeNanos;
    }

    @Override
    public void close() {
        handler.prepareToDestroy();
        runTasks();
        handler.destroy();
    }
}
