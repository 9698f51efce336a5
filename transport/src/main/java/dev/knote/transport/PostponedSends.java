package dev.knote.transport;

import dev.knote.transport.socket.Buffers;
import dev.knote.transport.socket.IoVectors;
import dev.knote.transport.socket.SendRing;
import dev.knote.transport.socket.Socket;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelOutboundBuffer;
import java.lang.foreign.Arena;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where the bytes are that channels of a loop have postponed to send, so that {@link SendWatch} can send them when a
 * handler does not return. A place belongs to the loop until {@link #publish}, from then on to who has the monitor, and
 * again to the loop after {@link #takeAll} or {@link #take}. The memory stays as it is for as long: what was flushed
 * is released by the loop alone, when it has taken the place.
 */
final class PostponedSends {
    /** A result: nobody has sent it yet. */
    static final int NOT_SENT = SendRing.NOT_DONE;
    /** For how long nothing is postponed where a handler waited. */
    private static final long DISTRUST_NANOS = 1_000_000_000;

    private static final Logger LOG = LoggerFactory.getLogger(PostponedSends.class);
    private static final VarHandle PUBLISHED;
    private static final VarHandle TURN;

    static {
        try {
            PUBLISHED = MethodHandles.lookup().findVarHandle(PostponedSends.class, "published", int.class);
            TURN = MethodHandles.lookup().findVarHandle(PostponedSends.class, "turn", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Thread loop = Thread.currentThread();
    private final Arena arena = Arena.ofShared();
    private final IoVectors[] vectors = new IoVectors[SendRing.MOST];
    /** How many pieces there are at a place: of one the address is its own, of several that of their vectors. */
    private final int[] pieces = new int[SendRing.MOST];
    private final long[] addresses = new long[SendRing.MOST];
    private final int[] bytes = new int[SendRing.MOST];
    private final int[] fds = new int[SendRing.MOST];
    private final int[] results = new int[SendRing.MOST];
    /** So many places may be sent by the watch. */
    private volatile int published;
    /** So many of the first were sent, or failed, by the watch. */
    private volatile int sentByWatch;
    private volatile long distrustedUntil;
    private int turn;
    private int turnSeen;

    /** By the thread of the loop. */
    PostponedSends() {
        long size = (long) SendRing.MOST_PIECES * Socket.IOVEC_SIZE;
        long at = arena.allocate(SendRing.MOST * size, 64).address();
        for (int i = 0; i < SendRing.MOST; i++) {
            vectors[i] = new IoVectors(at + i * size, SendRing.MOST_PIECES);
        }
    }

    // ---- by the loop

    /** Describes what is flushed at a place that is not published; false if there is too much of it. */
    boolean describe(int place, int fd, ChannelOutboundBuffer out) throws Exception {
        fds[place] = fd;
        results[place] = NOT_SENT;
        if (out.size() == 1 && out.current() instanceof ByteBuf buffer && Buffers.isNativePiece(buffer)) {
            int readable = buffer.readableBytes();
            pieces[place] = readable == 0 ? 0 : 1;
            addresses[place] = readable == 0 ? 0 : Buffers.address(buffer, buffer.readerIndex(), readable);
            bytes[place] = readable;
            return true;
        }
        IoVectors several = vectors[place];
        several.clear(Long.MAX_VALUE);
        out.forEachFlushedMessage(several);
        pieces[place] = several.count();
        addresses[place] = several.count() == 1 ? several.firstPiece() : several.address();
        bytes[place] = (int) several.bytes();
        return several.isWhole();
    }

    /** From now on the watch may send what stands at the first {@code count} places. */
    void publish(int count) {
        if (count == 1) {
            published = 1; // seen before it is asked whether anybody looks
            SendWatch.wake();
        } else {
            PUBLISHED.setRelease(this, count);
        }
    }

    /** As {@link #describe}, of a place that is published; false, too, if it was sent. */
    synchronized boolean describeAgain(int place, int fd, ChannelOutboundBuffer out) throws Exception {
        return results[place] == NOT_SENT && describe(place, fd, out);
    }

    /** Takes a place from the watch; it is done with. Returns its {@link #result}. */
    synchronized int take(int place) {
        int result = results[place];
        results[place] = 0;
        return result;
    }

    /** Takes all from the watch. */
    synchronized void takeAll() {
        PUBLISHED.setOpaque(this, 0);
        TURN.setOpaque(this, turn + 1);
    }

    /** How much was sent of a place that was taken, or -errno, or {@link #NOT_SENT}. */
    int result(int place) {
        return results[place];
    }

    /** The places may be used again. */
    void reset() {
        if (sentByWatch > 0) {
            sentByWatch = 0;
        }
    }

    /** Whether the watch has sent since. */
    boolean isSentByWatch() {
        return sentByWatch > 0;
    }

    /** Whether it was the watch that sent what is at a place. */
    boolean isSentByWatch(int place) {
        return place < sentByWatch;
    }

    /** Whether a handler of the loop has been waiting for something of late. */
    boolean isDistrusted() {
        long until = distrustedUntil;
        if (until != 0 && System.nanoTime() - until > 0) {
            distrustedUntil = 0;
            return false;
        }
        return until != 0;
    }

    /** Prepares the send of a place that was taken; returns its number in the ring, or -1 if there is nothing to send. */
    int prepare(int place, SendRing ring) {
        if (results[place] != NOT_SENT || pieces[place] == 0) {
            return -1;
        }
        return pieces[place] == 1 ? ring.send(fds[place], addresses[place], bytes[place])
                : ring.send(fds[place], vectors[place]);
    }

    void sent(int place, int result) {
        results[place] = result;
    }

    /** How many bytes there are at a place. */
    int bytes(int place) {
        return bytes[place];
    }

    synchronized void close() {
        published = 0;
        arena.close();
    }

    // ---- by the watch

    /** Sends, if a turn takes its time. Returns whether there was anything new since it was called last. */
    boolean look() {
        int now = (int) TURN.getOpaque(this);
        boolean sameTurn = now == turnSeen;
        turnSeen = now;
        if (sameTurn && published > sentByWatch) {
            sendAll(now);
            return true;
        }
        return !sameTurn || published > sentByWatch;
    }

    private synchronized void sendAll(int ofTurn) {
        int count = published;
        if (turn != ofTurn || count == 0) {
            return;
        }
        if (loop.getState() != Thread.State.RUNNABLE) {
            distrustedUntil = System.nanoTime() + DISTRUST_NANOS | 1;
        }
        LOG.debug("a handler of {} does not return: what was flushed before is sent by this thread", loop);
        for (int i = 0; i < count; i++) {
            if (results[i] == NOT_SENT) {
                results[i] = send(i);
            }
        }
        sentByWatch = count;
    }

    private int send(int place) {
        return switch (pieces[place]) {
            case 0 -> 0;
            case 1 -> Socket.write(fds[place], addresses[place], bytes[place]);
            default -> (int) Socket.writev(fds[place], addresses[place], pieces[place]);
        };
    }
}
