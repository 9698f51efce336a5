package dev.knote.explore;

/**
 * A few threads of a few processes, and what has to be so in the end, whatever the order of their steps. A subclass
 * has a constructor without arguments, is in a package of the product, and is loaded once for each process, with the classes
 * that it uses: statics are a process's own, and so are the fields, of one run. What is shared is the {@link World}.
 */
public abstract class Story {
    /** How many threads there are. */
    public abstract int threads();

    /** The process that a thread is of: from 0 on without gaps; as it stands here, each has its own. */
    public int process(int thread) {
        return thread;
    }

    /** How many processes there are. */
    public int processes() {
        return threads();
    }

    /** Whether the timeouts of a thread are its own wish, and not there to make good for what others have lost. */
    public boolean mayBeLate(int thread) {
        return false;
    }

    /** Before a run, once in each process, in their order; nothing runs meanwhile. */
    public void begin(World world) {}

    /** What thread {@code thread} does. What it throws is a failure. */
    public abstract void run(int thread, World world) throws Exception;

    /** After a run, in process 0: throws if something is wrong. */
    public void check(World world) {}
}
