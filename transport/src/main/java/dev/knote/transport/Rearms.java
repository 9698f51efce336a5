package dev.knote.transport;

import dev.knote.KeventList;
import java.util.ArrayList;
import java.util.List;

/**
 * Words' knotes that have fired their one shot and are made again with the loop's next wait, by the same entry into the
 * kernel; those that are deleted before are not.
 */
final class Rearms {
    private final List<Registration.Watch> watches = new ArrayList<>();
    private KeventList changelist = KeventList.allocate(8);

    /** @param expected the value to compare the word with */
    void add(Registration.Watch watch, long expected) {
        watch.rearmedFor = expected;
        watches.add(watch);
    }

    /** Fills {@link #changelist}; returns how many changes it has. */
    int prepare() {
        if (changelist.size() < watches.size()) {
            changelist = KeventList.allocate(2 * watches.size());
        }
        int n = 0;
        for (int i = 0; i < watches.size(); i++) {
            Registration.Watch watch = watches.get(i);
            if (watch.live && watch.registration.isValid()) {
                KnoteIoOps ops = watch.last;
                changelist.set(n++, ops.word(), ops.filter(), ops.flags(), ops.fflags(), watch.rearmedFor,
                        watch);
            }
        }
        watches.clear();
        return n;
    }

    KeventList changelist() {
        return changelist;
    }

    /** Holds neither the objects nor the memory. */
    void forget(int changes) {
        for (int i = 0; i < changes; i++) {
            changelist.set(i, 0, 0, 0, 0, 0, null);
        }
    }
}
