package dev.knote.filters.conformance;

import static dev.knote.Kqueue.*;
import static dev.knote.filters.conformance.Libc.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.linux.Epoll;
import dev.knote.linux.Errno;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Descriptors of every kind as idents. */
class DescriptorKindTest extends FdFixture {
    private static final int O_NOCTTY = 0x100;

    @ParameterizedTest
    @ValueSource(strings = {"/dev/null", "/dev/zero"})
    @DisplayName("FD-25 /dev/null and /dev/zero, which epoll refuses: EPERM")
    void fd25_devices(String path) {
        int fd = keep(open(path, O_RDWR));
        assertErrno(Errno.EPERM, () -> change(fd, EVFILT_READ, EV_ADD));
        assertErrno(Errno.EPERM, () -> change(fd, EVFILT_WRITE, EV_ADD));
        assertNoKnote(fd, EVFILT_READ);
    }

    @Test
    @DisplayName("FD-26 a directory: EPERM")
    void fd26_directory() {
        int fd = keep(open(directory.toString(), 0));
        assertErrno(Errno.EPERM, () -> change(fd, EVFILT_READ, EV_ADD));
        assertNoKnote(fd, EVFILT_READ);
    }

    @Test
    @DisplayName("FD-27 an eventfd: fires with data 1 while its count is not 0")
    void fd27_eventfd() {
        int fd = keep(must("eventfd", 0, O_NONBLOCK | O_CLOEXEC));
        change(fd, EVFILT_READ, EV_ADD);
        none();
        must("eventfd_write", fd, 5);
        assertEquals(1, next().data());
        Libc.read(fd, 8);
        none();
        change(fd, EVFILT_WRITE, EV_ADD);
        assertEquals(EVFILT_WRITE, next().filter());
    }

    @Test
    @DisplayName("FD-27 a timerfd: fires with data 1 when it has expired")
    void fd27_timerfd() {
        int fd = keep(must("timerfd_create", 1, O_NONBLOCK | O_CLOEXEC));
        change(fd, EVFILT_READ, EV_ADD);
        none();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment time = arena.allocate(32, 8);
            time.set(ValueLayout.JAVA_LONG, 24, 5_000_000);
            must("timerfd_settime", fd, 0, time.address(), 0);
        }
        assertEquals(1, next().data());
        Libc.read(fd, 8);
        none();
    }

    @Test
    @DisplayName("FD-27 an epoll fd: fires with data 1 when it has an event")
    void fd27_epoll() {
        int[] pipe = pipe();
        int fd = keep(must("epoll_create1", O_CLOEXEC));
        try (Arena arena = Arena.ofConfined()) {
            assertEquals(0, Epoll.epoll_ctl(
                    fd, Epoll.EPOLL_CTL_ADD, pipe[0], Epoll.EPOLLIN, 0, arena.allocate(16, 8)));
        }
        change(fd, EVFILT_READ, EV_ADD);
        none();
        write(pipe[1], 7);
        assertEquals(1, next().data());
        drain(pipe[0]);
        none();
    }

    @Test
    @DisplayName("FD-27 a pseudo terminal: both sides fire with the bytes there are")
    void fd27_pty() {
        int master = keep(must("posix_openpt", O_RDWR | O_NOCTTY | O_CLOEXEC));
        must("grantpt", master);
        must("unlockpt", master);
        int slave;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name = arena.allocate(64);
            must("ptsname_r", master, name.address(), 64);
            slave = keep(open(name.getString(0), O_RDWR | O_NOCTTY));
        }
        nonBlocking(master);
        nonBlocking(slave);
        change(master, EVFILT_READ, EV_ADD);
        change(slave, EVFILT_READ, EV_ADD);
        none();
        write(slave, 3);
        Ev event = next();
        assertEquals(master, event.ident());
        assertTrue(event.data() >= 3, event::toString); // a terminal may show one byte as two
        drain(master);
        none();
        change(master, EVFILT_WRITE, EV_ADD);
        assertEquals(EVFILT_WRITE, next().filter());
    }

    @Test
    @DisplayName("FD-28 READ of a pipe's writing end, WRITE of its reading end: accepted and silent")
    void fd28_wrongEnd() {
        int[] pipe = pipe();
        change(pipe[1], EVFILT_READ, EV_ADD);
        change(pipe[0], EVFILT_WRITE, EV_ADD);
        write(pipe[1], 4);
        none();
        shut(pipe[1]);
        none();
        change(pipe[0], EVFILT_WRITE, EV_DELETE);
    }
}
