package dev.knote.filters;

import static dev.knote.Kqueue.EV_CLEAR;
import static dev.knote.Kqueue.NOTE_FILE_POLL;

import dev.knote.FilterKnote;
import dev.knote.Kevent;
import dev.knote.linux.Fds;
import java.util.concurrent.atomic.AtomicInteger;

/** A regular file: readable while its position is not its size. One for each knote. */
final class ReadableFile implements FdSource {
    final FilterKnote knote;
    /** For {@link GrowingFiles}: the inotify watch, and the next file with the same one. */
    int watch;
    ReadableFile next;

    private final GrowingFiles files;
    private final long inode;
    private final long device;
    /** Causes to report what holds: changes of the file, and of the knote. */
    private final AtomicInteger causes = new AtomicInteger(1);
    private int asked;
    private int reported;

    ReadableFile(FilterKnote knote, GrowingFiles files, long inode, long device) {
        this.knote = knote;
        this.files = files;
        this.inode = inode;
        this.device = device;
    }

    /** The file was written to or cut. */
    void changed() {
        causes.incrementAndGet();
        knote.activate();
    }

    @Override
    public boolean ready(FilterKnote knote, FdProbe probe, int edge) {
        if (edge != 0) {
            files.drain();
        }
        int fd = (int) knote.ident();
        asked = causes.get(); // before the size: what changes from here on is another cause
        if (!isSame(fd, probe)) {
            knote.gone();
            return false;
        }
        knote.state(0);
        long left = probe.size() - Fds.lseek(fd, 0, Fds.SEEK_CUR);
        knote.data(left);
        boolean holds = (knote.savedFflags() & NOTE_FILE_POLL) != 0 || FdSource.enough(knote, left);
        // All files of the queue share one edge, so that an edge alone is no news of this one.
        return holds && ((knote.flags() & EV_CLEAR) == 0 || asked != reported);
    }

    @Override
    public boolean same(FilterKnote knote) {
        return isSame((int) knote.ident(), FdProbe.get());
    }

    @Override
    public boolean lost(FilterKnote knote) {
        return !same(knote);
    }

    private boolean isSame(int fd, FdProbe probe) {
        return probe.fileType(fd) == Fds.S_IFREG && probe.inode() == inode && probe.device() == device;
    }

    @Override
    public void touched() {
        causes.incrementAndGet();
    }

    @Override
    public void delivered(FilterKnote knote, FdProbe probe, Kevent event) {
        reported = asked;
    }

    @Override
    public void close() {
        files.remove(this);
    }
}
