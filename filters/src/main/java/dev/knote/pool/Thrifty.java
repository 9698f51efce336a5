package dev.knote.pool;

/** Wakes a thread if that is likely to pay. */
record Thrifty(long leastNanos, long mostNanos, int parallel) implements Policy {
    Thrifty {
        if (leastNanos < 0 || mostNanos < leastNanos || parallel < 1) {
            throw new IllegalArgumentException(
                    "Policy.thrifty: least is " + leastNanos + " ns, most is " + mostNanos
                            + " ns, parallel is "
                            + parallel + ": expected 0 <= least <= most and a thread or more");
        }
    }

    @Override
    public boolean promotes(Moment moment) {
        long expected = moment.expectedNanos();
        return expected >= mostNanos
                || moment.isMoreReady() && moment.running() < parallel
                        && expected + moment.backlogNanos() >= leastNanos;
    }

    @Override
    public int next(int idle) {
        return idle - 1;
    }
}
