package dev.knote.transport.socket;

import dev.knote.linux.Errno;
import dev.knote.linux.IoUring;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Sends on several sockets, or receives from them, by one entry into the kernel. None waits, for room or for bytes, so
 * all have ended when {@link #submit} returns, and the kernel has nothing of anybody's memory any more. Belongs to one
 * thread.
 */
public final class SendRing implements AutoCloseable {
    /** The most sends and receives of one {@link #submit}. */
    public static final int MOST = 64;
    /** The most pieces of one send. */
    public static final int MOST_PIECES = 16;
    /** A result: the kernel did not come to it, who wants it sent has to call send(2). */
    public static final int NOT_DONE = Integer.MIN_VALUE;

    private static final int FLAGS = IoUring.IORING_SETUP_CLAMP | IoUring.IORING_SETUP_SUBMIT_ALL;
    private static final int NO_WAITING = Socket.MSG_DONTWAIT | Socket.MSG_NOSIGNAL;
    private static final int HEADER_SIZE = 64;
    private static final int HEADER_AND_PIECES = HEADER_SIZE + MOST_PIECES * Socket.IOVEC_SIZE;

    private final IoUring ring;
    private final Arena arena = Arena.ofShared();
    private final long headersAt = arena.allocate((long) MOST * HEADER_AND_PIECES, 64).address();
    private final int[] results = new int[MOST];
    private int count;

    private SendRing(IoUring ring) {
        this.ring = ring;
    }

    /** A ring, or null where there is none. */
    public static SendRing open() {
        try (Arena temporary = Arena.ofConfined()) {
            MemorySegment params = IoUring.params(temporary);
            int fd = IoUring.setup(MOST, MOST, FLAGS, params);
            if (fd < 0) {
                return null;
            }
            if (IoUring.probe(fd, IoUring.IORING_OP_SEND) != 1
                    || IoUring.probe(fd, IoUring.IORING_OP_RECV) != 1
                    || IoUring.probe(fd, IoUring.IORING_OP_SENDMSG) != 1) {
                Socket.close(fd);
                return null;
            }
            IoUring ring = IoUring.open(fd, params);
            return ring == null ? null : new SendRing(ring);
        }
    }

    /** Prepares send(2); returns the number to ask {@link #result} with. The memory is not to change until then. */
    public int send(int fd, long at, int bytes) {
        ring.prepare(IoUring.IORING_OP_SEND, fd, 0, at, bytes, NO_WAITING, count, 0);
        return count++;
    }

    /** Prepares recv(2) of at most {@code room} bytes, as {@link #send}. */
    public int receive(int fd, long at, int room) {
        ring.prepare(IoUring.IORING_OP_RECV, fd, 0, at, room, Socket.MSG_DONTWAIT, count, 0);
        return count++;
    }

    /** Prepares a send of at most {@link #MOST_PIECES} pieces. The vectors themselves may be used again at once. */
    public int send(int fd, IoVectors pieces) {
        long header = headersAt + (long) count * HEADER_AND_PIECES;
        Memory.copy(pieces.address(), header + HEADER_SIZE, (long) pieces.count() * Socket.IOVEC_SIZE);
        Socket.msghdr(header, 0, 0, header + HEADER_SIZE, pieces.count());
        ring.prepare(IoUring.IORING_OP_SENDMSG, fd, 0, header, 1, NO_WAITING, count, 0);
        return count++;
    }

    /** Does what was prepared. */
    public void submit() {
        for (int i = 0; i < count; i++) {
            results[i] = NOT_DONE;
        }
        int missing = count;
        count = 0;
        boolean refused = false;
        while (missing > 0) {
            int before = missing;
            int result = refused || ring.unsubmitted() == 0 ? ring.enter(0, -1) : ring.submit();
            missing -= collect();
            if (result < 0 && result != -Errno.EINTR && missing == before && !refused) {
                missing -= ring.withdraw();
                refused = true;
            }
        }
    }

    private int collect() {
        int n = 0;
        while (ring.next()) {
            int result = ring.result();
            boolean again = result == -Errno.EINTR || result == -Errno.ECANCELED;
            results[(int) ring.userData()] = again ? NOT_DONE : result;
            n++;
        }
        ring.release();
        return n;
    }

    /** After {@link #submit}: how many bytes were sent, {@code -errno}, or {@link #NOT_DONE}. */
    public int result(int number) {
        return results[number];
    }

    @Override
    public void close() {
        ring.close();
        arena.close();
    }
}
