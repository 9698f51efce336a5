package dev.knote;

import java.lang.foreign.MemorySegment;

/** A change that another thread asked the single owner of a queue to make. */
final class Post extends Mail {
    /** The knote that it was asked of, or null: it is not for another one of the same ident. */
    final KnoteImpl knote;

    private final Kevent change = new Kevent();

    Post(Kevent from, KnoteImpl knote) {
        copy(from, change);
        this.knote = knote;
    }

    Kevent change() {
        return change;
    }

    static void copy(Kevent from, Kevent to) {
        to.ident = from.ident;
        to.filter = from.filter;
        to.flags = from.flags;
        to.fflags = from.fflags;
        to.data = from.data;
        to.udata = from.udata;
        to.ext0 = from.ext0;
        to.ext1 = from.ext1;
        to.ext2 = from.ext2;
        to.ext3 = from.ext3;
        MemorySegment word = from.word;
        to.word = word;
    }
}
