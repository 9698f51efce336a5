package dev.knote;

/** Whether what the kernel has in store for knotes on the list is to be looked at before they are asked; and that look. */
final class FirstLook {
    private final EventQueue queue;
    private volatile boolean wanted;
    private volatile boolean needed;

    FirstLook(EventQueue queue) {
        this.queue = queue;
    }

    /**
     * One that stays on the list, as it is level triggered, would have to be asked about all that its edge tells; and where
     * such events fill the eventlist of every call, no others would be seen.
     */
    void want() {
        if (!wanted) {
            wanted = true;
        }
    }

    /** A cleared one that was found to have an event by a change would have a second one by its edge, or its word's wake. */
    void need() {
        if (!needed) {
            needed = true;
        }
        want();
    }

    boolean isNeeded() {
        return needed;
    }

    /** False if the kernel was not looked at, as nobody asked for it, there is nothing in it, or edges are left from before. */
    boolean look(Call call) {
        if (!wanted) {
            return false;
        }
        wanted = false;
        boolean due = needed;
        needed = false;
        boolean looked = queue.sleep.harvest(call);
        if (!looked && queue.poller.hasEdges()) {
            needed |= due;
            wanted = true;
        }
        return looked;
    }
}
