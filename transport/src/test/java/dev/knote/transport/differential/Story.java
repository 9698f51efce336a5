package dev.knote.transport.differential;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.Future;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** What a program sees on one side, line by line: it is to be the same on every side. */
final class Story {
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(30);

    final Side side;
    final EventLoopGroup group;
    private final List<String> lines = new ArrayList<>();
    /** What the handler of {@link Teller} does at a line, before it passes the event on. */
    private final java.util.Map<String, Teller.Action> actions = new java.util.HashMap<>();

    /** Some behaviour of a program. */
    interface Tale {
        void tell(Story story) throws Exception;
    }

    private Story(Side side) {
        this.side = side;
        group = new MultiThreadIoEventLoopGroup(2, new DefaultThreadFactory("story", true), side.loops.get());
    }

    /** What is told on the side is to be what is told on NIO. */
    static void compare(Side side, Tale tale) throws Exception {
        assertEquals(String.join("\n", tell(Side.NIO, tale)), String.join("\n", tell(side, tale)));
    }

    /** The lines of one side. */
    static List<String> tell(Side side, Tale tale) throws Exception {
        var story = new Story(side);
        try {
            tale.tell(story);
        } finally {
            story.shutDown();
        }
        synchronized (story.lines) {
            return withoutEmptyReads(story.lines);
        }
    }

    /** How often a transport looks and finds nothing is its own affair. */
    private static List<String> withoutEmptyReads(List<String> lines) {
        List<String> all = new ArrayList<>();
        Set<String> whoRead = new HashSet<>(); // another channel may say something in between
        for (String line : lines) {
            String who = line.split(" ", 2)[0];
            boolean read = whoRead.remove(who);
            if (read || !line.contains(" readComplete ")) {
                all.add(line);
            }
            if (line.contains(" read: ")) {
                whoRead.add(who);
            }
        }
        return all;
    }

    /** What is told after this is of the end. */
    void shutDown() {
        var end = group.shutdownGracefully(0, 20, TimeUnit.SECONDS);
        assertTrue(end.awaitUninterruptibly(30, TimeUnit.SECONDS), "the loops end");
    }

    void say(String line) {
        synchronized (lines) {
            lines.add(line);
        }
    }

    /** Has {@code action} done the first time that a handler tells of the event. */
    void on(String event, Teller.Action action) {
        synchronized (actions) {
            actions.put(event, action);
        }
    }

    Teller.Action actionOn(String event) {
        synchronized (actions) {
            return actions.remove(event);
        }
    }

    boolean isSaid(String line) {
        synchronized (lines) {
            return lines.stream().anyMatch(l -> l.startsWith(line));
        }
    }

    /** How many lines begin so. */
    long count(String line) {
        synchronized (lines) {
            return lines.stream().filter(l -> l.startsWith(line)).count();
        }
    }

    /** Waits until a line that begins so was said. */
    void await(String line) {
        await(line, () -> isSaid(line));
    }

    void await(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < deadline, () -> what + " did not come on " + side + ": " + this);
            Thread.onSpinWait();
            Thread.yield();
        }
    }

    /** Says how it ends, when it does, in the loop. */
    <F extends Future<?>> F tell(String name, F future) {
        future.addListener(done -> say(name + " " + outcome(future)));
        return future;
    }

    /** Waits for its end, and what that led to, and says how it was. */
    ChannelFuture ended(String name, ChannelFuture future) throws InterruptedException {
        assertTrue(future.await(30_000), () -> name + " does not end on " + side + ": " + this);
        settle(future.channel().eventLoop());
        say(name + " " + outcome(future));
        return future;
    }

    static String outcome(Future<?> future) {
        return future.isSuccess() ? "done" : future.isCancelled() ? "cancelled" : name(future.cause());
    }

    /** A failure by the name of its first class that a program can know, and its message without numbers. */
    static String name(Throwable cause) {
        Class<?> type = cause.getClass();
        while (!java.lang.reflect.Modifier.isPublic(type.getModifiers())
                || !(type.getName().startsWith("java.")
                        || type.getPackageName().equals("io.netty.channel"))) {
            type = type.getSuperclass();
        }
        return type == SocketException.class ? "IOException" : type.getSimpleName(); // the JDK's for many errors
    }

    /** The loop has done what it had to do by now, and what that led to. */
    void settle(EventLoop loop) throws InterruptedException {
        for (int i = 0; i < 5; i++) {
            loop.submit(() -> {}).sync();
        }
    }

    /** As a task of the channel's loop, and waits for it. */
    void inLoop(Channel channel, Runnable task) throws InterruptedException {
        channel.eventLoop().submit(task).sync();
    }

    static String state(Channel channel) {
        return (channel.isOpen() ? "O" : "-") + (channel.isActive() ? "A" : "-")
                + (channel.isRegistered() ? "R" : "-") + (channel.isWritable() ? "W" : "-");
    }

    @Override
    public String toString() {
        synchronized (lines) {
            return String.join("; ", lines);
        }
    }
}
