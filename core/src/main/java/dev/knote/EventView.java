package dev.knote;

/** An entry of a list as an {@link Event}. */
final class EventView implements Event {
    private KeventList list;
    private int at;

    EventView at(KeventList newList, int index) {
        list = newList;
        at = index;
        return this;
    }

    @Override
    public long ident() {
        return list.ident(at);
    }

    @Override
    public int filter() {
        return list.filter(at);
    }

    @Override
    public int flags() {
        return list.flags(at);
    }

    @Override
    public int fflags() {
        return list.fflags(at);
    }

    @Override
    public long data() {
        return list.data(at);
    }

    @Override
    public Object attachment() {
        return list.udata(at);
    }

    @Override
    public long ext(int k) {
        return list.ext(at, k);
    }

    @Override
    public boolean isEof() {
        return (list.flags(at) & Kqueue.EV_EOF) != 0;
    }

    @Override
    public boolean isError() {
        return (list.flags(at) & Kqueue.EV_ERROR) != 0;
    }
}
