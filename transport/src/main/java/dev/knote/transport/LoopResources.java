package dev.knote.transport;

import dev.knote.transport.socket.IoVectors;
import dev.knote.transport.socket.Socket;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.unix.PreferredDirectByteBufAllocator;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What the channels of one loop share: memory for their system calls, the next turn, and what is sent at its end. */
final class LoopResources {
    /** Room for one message: addresses, an array of iovec and a msghdr. */
    static final int SCRATCH_SIZE = 32 * 1024;

    private static final Logger LOG = LoggerFactory.getLogger(LoopResources.class);

    private final Arena arena = Arena.ofShared();
    private final MemorySegment scratch = arena.allocate(SCRATCH_SIZE, 64);
    private final IoVectors vectors = new IoVectors(
            arena.allocate((long) Socket.IOVEC_MAX * Socket.IOVEC_SIZE, 64).address(), Socket.IOVEC_MAX);
    private final PreferredDirectByteBufAllocator direct = new PreferredDirectByteBufAllocator();
    /** What {@link #direct} asks. */
    private ByteBufAllocator asked;
    private final SendBatch sends;
    private final ReceiveBatch receives = new ReceiveBatch(this);
    private SocketFile socketFile;
    private boolean hasNoSocketFile;
    private List<Runnable> next = new ArrayList<>();
    private List<Runnable> now = new ArrayList<>();

    /** With {@code hasRing}, the loop's poller is one of io_uring. */
    LoopResources(boolean hasRing) {
        sends = new SendBatch(hasRing);
    }

    /** What is to be sent at the end of the turn. */
    SendBatch sends() {
        return sends;
    }

    /** Who is to read in this turn, together. */
    ReceiveBatch receives() {
        return receives;
    }

    MemorySegment scratch() {
        return scratch;
    }

    /** Gets buffers outside the heap from {@code allocator}; good until this is called again. */
    ByteBufAllocator direct(ByteBufAllocator allocator) {
        if (allocator != asked) {
            asked = allocator;
            direct.updateAllocator(allocator);
        }
        return direct;
    }

    /** Not inside the scratch. */
    IoVectors vectors() {
        return vectors;
    }

    /**
     * Has {@code more} run in the loop's next turn, after that turn's events. A task of the loop would be run before
     * them, and so might a busy channel's tasks, one after the other, for a second.
     */
    void nextTurn(Runnable more) {
        next.add(more);
    }

    /** A turn begins; returns whether something is left to it, so that it must not wait. */
    boolean beginTurn() {
        List<Runnable> all = next;
        next = now;
        now = all;
        return !now.isEmpty();
    }

    /** After each event. */
    void afterEvent() {
        if (sends.isDue()) {
            sends.finish();
        }
    }

    /** Has those read who read together, runs what was left to this turn, after its events, then sends. */
    void endTurn() {
        receives.run();
        for (int i = 0; i < now.size(); i++) {
            try {
                now.get(i).run();
            } catch (Throwable t) {
                LOG.warn("a channel threw in its turn", t);
            }
            afterEvent();
        }
        now.clear();
        sends.finish();
    }

    /** A file that sockets can take the place of; null if there is none. */
    SocketFile socketFile() {
        if (socketFile != null && !socketFile.isOpen()) {
            closeSocketFile();
        }
        if (socketFile == null && !hasNoSocketFile) {
            try {
                socketFile = SocketFile.open();
            } catch (IOException | RuntimeException e) {
                hasNoSocketFile = true;
                LOG.debug("files are sent by copying them", e);
            }
        }
        return socketFile;
    }

    private void closeSocketFile() {
        try {
            socketFile.close();
        } catch (IOException e) {
            LOG.debug("closing a file that sockets take the place of", e);
        }
        socketFile = null;
    }

    void close() {
        sends.close();
        if (socketFile != null) {
            closeSocketFile();
        }
        arena.close();
    }
}
