package dev.knote;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Who watches a queue, and which queues it watches itself. Changed under the lock of {@link NestedWatch}. */
final class Nesting {
    private static final Watcher[] NOBODY = {};

    private final EventQueue queue;
    /** With one entry a knote: two knotes may watch one queue by two of its names. */
    private final List<EventQueue> inner = new ArrayList<>();
    private volatile Watcher[] watchers = NOBODY;

    Nesting(EventQueue queue) {
        this.queue = queue;
    }

    /** The ring of this queue may have been made. */
    void tellOfRing() {
        for (Watcher watcher : watchers) {
            watcher.lookForRing();
        }
    }

    void tellOfClose() {
        for (Watcher watcher : watchers) {
            watcher.innerCloses();
        }
    }

    void addWatcher(Watcher watcher) {
        Watcher[] old = watchers;
        Watcher[] more = Arrays.copyOf(old, old.length + 1);
        more[old.length] = watcher;
        watchers = more;
    }

    void removeWatcher(Watcher watcher) {
        watchers = Arrays.stream(watchers)
                .filter(other -> other != watcher)
                .toArray(Watcher[]::new);
    }

    void watching(EventQueue other, boolean begins) {
        if (begins) {
            inner.add(other);
        } else {
            inner.remove(other);
        }
    }

    boolean reaches(EventQueue target) {
        return queue == target || inner.stream().anyMatch(other -> other.nesting.reaches(target));
    }

    boolean isWatched() {
        return watchers.length > 0;
    }

    /** Something was put on the list, or there is another deadline. */
    void tellWatchers() {
        for (Watcher watcher : watchers) {
            watcher.activate();
        }
    }
}
