package dev.knote.transport;

import dev.knote.Event;

/** An event of the queue, with the udata of its handle in the place of ours. One for all events of a loop. */
final class EventAdapter implements KnoteIoEvent {
    private Event event;
    private Object udata;

    EventAdapter of(Event newEvent, Object itsUdata) {
        event = newEvent;
        udata = itsUdata;
        return this;
    }

    @Override
    public long ident() {
        return event.ident();
    }

    @Override
    public int filter() {
        return event.filter();
    }

    @Override
    public int flags() {
        return event.flags();
    }

    @Override
    public int fflags() {
        return event.fflags();
    }

    @Override
    public long data() {
        return event.data();
    }

    @Override
    public Object udata() {
        return udata;
    }

    @Override
    public long ext(int k) {
        return event.ext(k);
    }

    @Override
    public String toString() {
        return "ident " + ident() + ", filter " + filter() + ", flags 0x" + Integer.toHexString(flags())
                + ", fflags 0x" + Integer.toHexString(fflags()) + ", data " + data();
    }
}
