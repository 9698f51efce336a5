package dev.knote.examples;

import static dev.knote.Kqueue.*;

import dev.knote.KeventList;
import java.time.Duration;

/** The README's example of the C face. */
final class CFace {
    private CFace() {}

    static void main() {
        int kq = kqueue();
        KeventList list = KeventList.allocate(2);
        EV_SET(list, 0, 1, EVFILT_TIMER, EV_ADD | EV_ONESHOT, NOTE_MSECONDS, 100, "timer");
        EV_SET(list, 1, 7, EVFILT_USER, EV_ADD | EV_CLEAR, 0, 0, "user");
        kevent(kq, list, 2, null, 0, null);
        EV_SET(list, 0, 7, EVFILT_USER, 0, NOTE_TRIGGER | NOTE_FFCOPY | 3, 0, "user");
        for (int n = kevent(kq, list, 1, list, 2, null); n > 0; n = kevent(kq, null, 0, list, 2,
                Duration.ofSeconds(1))) {
            System.out.println(list.udata(0) + ": ident " + list.ident(0) + ", fflags " + list.fflags(0));
        }
        close(kq);
    }
}
