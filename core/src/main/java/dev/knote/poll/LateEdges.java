package dev.knote.poll;

import java.util.Arrays;

/**
 * Edges in the order in which the kernel told them, whose targets take them later. An edge is a registration's token, not
 * an object: what has been registered since under the same fd has another one, so that an edge of what is gone finds
 * nobody. Who it is for stands in an array by fd: for an edge a loop has two cache lines to look at, which it shares with
 * others. Belongs to the single owner of the poller.
 */
final class LateEdges {
    private static final int SMALLEST = 64;

    private long[] tokens = new long[SMALLEST];
    private int[] events = new int[SMALLEST];
    /** The first that was not taken, if it is not {@link #tail}. */
    private int head;
    private int tail;
    /** Of the first. */
    private long number = 1;
    private int eventsTaken;

    /** By fd: who alone takes its edges, and of which registration; others are null. */
    private Object[] targets = {};
    private int[] generations = {};

    boolean isEmpty() {
        return head == tail;
    }

    void add(long token, int readiness) {
        if (tail == tokens.length) {
            makeRoom();
        }
        tokens[tail] = token;
        events[tail++] = readiness;
    }

    /** The first one's. */
    long token() {
        return tokens[head];
    }

    /** Of the one that was taken last, or is about to be. */
    int events() {
        return eventsTaken;
    }

    /** A number of the first one that no other has. */
    long number() {
        return number;
    }

    /** Who alone takes the first one, if it is known and still registered as it was. */
    Object soleTarget() {
        long token = tokens[head];
        int fd = (int) token & Integer.MAX_VALUE;
        eventsTaken = events[head];
        return fd < targets.length && generations[fd] == (int) (token >> 32) ? targets[fd] : null;
    }

    void soleTarget(int fd, int generation, Object target) {
        if (fd >= targets.length) {
            if (target == null) {
                return;
            }
            int room = Math.max(SMALLEST, Integer.highestOneBit(fd) << 1);
            targets = Arrays.copyOf(targets, room);
            generations = Arrays.copyOf(generations, room);
        }
        targets[fd] = target;
        generations[fd] = generation;
    }

    void removeFirst() {
        number++;
        if (++head == tail) {
            head = 0;
            tail = 0;
        }
    }

    private void makeRoom() {
        int size = tail - head;
        int room = size > tokens.length / 2 ? 2 * tokens.length : tokens.length;
        long[] someTokens = room == tokens.length ? tokens : new long[room];
        int[] someEvents = room == tokens.length ? events : new int[room];
        System.arraycopy(tokens, head, someTokens, 0, size);
        System.arraycopy(events, head, someEvents, 0, size);
        tokens = someTokens;
        events = someEvents;
        head = 0;
        tail = size;
    }
}
