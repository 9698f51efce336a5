package dev.knote.filters;

import dev.knote.FilterKnote;
import java.util.function.LongSupplier;

/** Another queue: readable while it has events. */
record ReadableQueue(LongSupplier pending) implements FdSource {
    @Override
    public boolean ready(FilterKnote knote, FdProbe probe, int edge) {
        long events = pending.getAsLong();
        if (events < 0) {
            knote.gone();
            return false;
        }
        knote.state(0);
        knote.data(events);
        return events > 0;
    }

    @Override
    public boolean lost(FilterKnote knote) {
        return !same(knote);
    }
}
