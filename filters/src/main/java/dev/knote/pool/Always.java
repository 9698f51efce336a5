package dev.knote.pool;

/** Leader and followers as in the books. */
record Always(boolean lastFirst) implements Policy {
    @Override
    public boolean promotes(Moment moment) {
        return true;
    }

    @Override
    public int next(int idle) {
        return lastFirst ? idle - 1 : 0;
    }
}
