package dev.knote.filters;

import dev.knote.FilterKnote;
import dev.knote.linux.Fds;

/** A regular file: always ready for writing, as long as the descriptor is this file. */
record WritableFile(long inode, long device) implements FdSource {
    @Override
    public boolean ready(FilterKnote knote, FdProbe probe, int edge) {
        knote.state(0);
        knote.data(0);
        return true;
    }

    @Override
    public boolean same(FilterKnote knote) {
        FdProbe probe = FdProbe.get();
        return probe.fileType((int) knote.ident()) == Fds.S_IFREG
                && probe.inode() == inode
                && probe.device() == device;
    }

    @Override
    public boolean lost(FilterKnote knote) {
        return !same(knote);
    }
}
