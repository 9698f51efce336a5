package dev.knote.filters;

import dev.knote.linux.Fds;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;

/**
 * The regular files that the READ knotes of one queue wait for, in one inotify instance: epoll takes no
 * regular files, closing an inotify instance can take the kernel 15 ms, and a user has only 128 of them.
 *
 * <p>Any thread may call. The lock is held over calls that return at once.
 */
final class GrowingFiles {
    private static final int EVENT_BYTES = 16;
    private static final int EVENT_LENGTH_AT = 12;
    private static final int BUFFER_BYTES = 256 * EVENT_BYTES;

    private final Map<Integer, ReadableFile> byWatch = new HashMap<>();
    private int inotify = -1;
    private MemorySegment buffer;

    /**
     * Begins to watch the file; returns the inotify fd, which is readable when a file has changed, or -errno.
     */
    synchronized int add(ReadableFile file, int fd) {
        if (inotify < 0) {
            int result = Fds.inotify_init1();
            if (result < 0) {
                return result;
            }
            inotify = result;
            buffer = Arena.ofAuto().allocate(BUFFER_BYTES, Long.BYTES);
        }
        // By the number and not by a name: the file may have been renamed, or have none.
        buffer.setString(0, "/proc/self/fd/" + fd);
        int watch = Fds.inotify_add_watch(inotify, buffer.address(), Fds.IN_MODIFY);
        if (watch < 0) {
            return watch;
        }
        file.watch = watch;
        file.next = byWatch.put(watch, file);
        return inotify;
    }

    synchronized void remove(ReadableFile file) {
        ReadableFile first = byWatch.get(file.watch);
        if (first != file) {
            ReadableFile before = first;
            while (before != null && before.next != file) {
                before = before.next;
            }
            if (before != null) {
                before.next = file.next;
            }
        } else if (file.next != null) {
            byWatch.put(file.watch, file.next);
        } else {
            byWatch.remove(file.watch);
            Fds.inotify_rm_watch(inotify, file.watch);
        }
    }

    /**
     * Takes what inotify has and tells the files. When this returns, so has everything that was there before.
     */
    synchronized void drain() {
        long bytes = BUFFER_BYTES;
        while (bytes == BUFFER_BYTES) {
            bytes = Fds.read(inotify, buffer.address(), BUFFER_BYTES);
            for (long at = 0; at < bytes;) {
                tell(byWatch.get(buffer.get(ValueLayout.JAVA_INT, at)));
                at += EVENT_BYTES + buffer.get(ValueLayout.JAVA_INT, at + EVENT_LENGTH_AT);
            }
        }
    }

    private static void tell(ReadableFile first) {
        for (ReadableFile file = first; file != null; file = file.next) {
            file.changed();
        }
    }

    synchronized void close() {
        if (inotify >= 0) {
            Fds.close(inotify);
            inotify = -1;
        }
    }
}
