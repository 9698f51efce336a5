package dev.knote.benchmarks;

/** Something to measure, done by one thread. Made, and run, by the thread of its {@link Worker}. */
interface Operation {
    /** Untimed, before each run. */
    default void prepare() {}

    /** Does it {@code n} times. */
    void run(int n) throws Exception;

    /** What else there is to tell, in one line; the operation's own format. */
    default String report() throws Exception {
        return "";
    }

    /** What the other side of the operation has to be told on its command line. */
    default String address() {
        return "";
    }

    /** Answers until the process is destroyed: one that serves another's runs. */
    interface Server extends Operation {
        void serve() throws Exception;

        @Override
        default void run(int n) {
            throw new UnsupportedOperationException("a server serves");
        }
    }
}
