package dev.knote.filters.conformance;

import static dev.knote.Kqueue.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** EVFILT_READ of regular files: readable while the position is not the size. */
class ReadFileTest extends FdFixture {
    @Test
    @DisplayName("READ-16 EV_ADD again on a regular file: no error, udata replaced")
    void read16_addAgain() {
        int file = file(5);
        change(file, EVFILT_READ, EV_ADD, 0, 0, "first");
        change(file, EVFILT_READ, EV_ADD, 0, 0, "second");
        assertEquals("second", next().udata());
    }

    @Test
    @DisplayName("READ-40 data is size less position, as it is at each call; at the end there is no event")
    void read40_sizeLessPosition() {
        int file = file(10);
        change(file, EVFILT_READ, EV_ADD);
        assertEquals(10, next().data());
        read(file, 4);
        assertEquals(6, next().data());
        seek(file, 1);
        assertEquals(9, next().data());
        seek(file, 10);
        none();
    }

    @Test
    @DisplayName("READ-40 a file at its end fires when it grows, also while a thread waits")
    void read40_growing() throws Exception {
        int file = file(3);
        int writer = keep(Libc.open(pathOf(file).toString(), Libc.O_WRONLY));
        seek(file, 3);
        seek(writer, 3);
        change(file, EVFILT_READ, EV_ADD);
        FutureTask<Ev> waiter = inBackground(this::next);
        write(writer, 8);
        assertEquals(8, result(waiter).data());
        seek(file, 11);
        none();
        write(writer, 1);
        assertEquals(1, next().data());
    }

    @Test
    @DisplayName("READ-40 lseek back from the end is seen when the knote is changed or the file written")
    void read40_seekIsNotAnnounced() {
        int file = file(4);
        seek(file, 4);
        change(file, EVFILT_READ, EV_ADD);
        none();
        seek(file, 1);
        change(file, EVFILT_READ, EV_ADD);
        assertEquals(3, next().data());
        seek(file, 4);
        none();
        seek(file, 2);
        int writer = keep(Libc.open(pathOf(file).toString(), Libc.O_WRONLY));
        write(writer, 1);
        assertEquals(2, next().data());
    }

    @Test
    @DisplayName("READ-40 by EV_CLEAR one event a change of the file; another file's change is none of this one")
    void read40_clear() {
        int file = file(4);
        int other = file(0);
        change(file, EVFILT_READ, EV_ADD | EV_CLEAR);
        change(other, EVFILT_READ, EV_ADD | EV_CLEAR);
        assertEquals(file, next().ident());
        none();
        write(other, 2);
        seek(other, 0);
        assertEquals(other, next().ident());
        none();
        int writer = keep(Libc.open(pathOf(file).toString(), Libc.O_WRONLY));
        seek(writer, 4);
        write(writer, 2);
        assertEquals(6, next().data());
        none();
    }

    @Test
    @DisplayName("READ-42 a position beyond the end: an event with negative data")
    void read42_beyondTheEnd() {
        int file = file(4);
        seek(file, 10);
        change(file, EVFILT_READ, EV_ADD);
        assertEquals(-6, next().data());
        Libc.must("ftruncate", file, 10);
        none();
    }

    @Test
    @DisplayName("READ-45 a file renamed, and unlinked, is watched as before")
    void read45_renamed() throws IOException {
        int file = file(4);
        Path path = pathOf(file);
        int writer = keep(Libc.open(path.toString(), Libc.O_WRONLY));
        seek(file, 4);
        seek(writer, 4);
        change(file, EVFILT_READ, EV_ADD);
        Path renamed = path.resolveSibling("renamed");
        Files.move(path, renamed);
        none();
        write(writer, 3);
        assertEquals(3, next().data());
        Files.delete(renamed);
        write(writer, 2);
        assertEquals(5, next().data());
    }

    @Test
    @DisplayName("READ-45 a file renamed before it is registered is watched all the same")
    void read45_renamedBefore() throws IOException {
        int file = file(4);
        Path path = pathOf(file);
        Files.move(path, path.resolveSibling("renamed"));
        int writer = keep(Libc.open(pathOf(file).toString(), Libc.O_WRONLY));
        Files.delete(pathOf(file));
        seek(file, 4);
        seek(writer, 4);
        change(file, EVFILT_READ, EV_ADD);
        none();
        write(writer, 3);
        assertEquals(3, next().data());
    }

    @Test
    @DisplayName("READ-46 EV_ONESHOT on a regular file: deleted by its event")
    void read46_oneShot() {
        int file = file(4);
        change(file, EVFILT_READ, EV_ADD | EV_ONESHOT);
        assertEquals(4, next().data());
        none();
        assertNoKnote(file, EVFILT_READ);
    }

    @Test
    @DisplayName("READ-49 NOTE_LOWAT of a regular file: counts as for others")
    void read49_markOfFile() {
        int file = file(4);
        int writer = keep(Libc.open(pathOf(file).toString(), Libc.O_WRONLY));
        seek(writer, 4);
        change(file, EVFILT_READ, EV_ADD, NOTE_LOWAT, 6, null);
        none();
        write(writer, 1);
        none();
        write(writer, 1);
        assertEquals(6, next().data());
    }

    @Test
    @DisplayName("NOTE_FILE_POLL: a regular file is ready also at its end, with data 0")
    void filePoll() {
        int file = file(4);
        seek(file, 4);
        change(file, EVFILT_READ, EV_ADD, NOTE_FILE_POLL, 0, null);
        assertEquals(0, next().data());
        assertEquals(0, next().data());
    }

    @Test
    @DisplayName("a thousand files in one queue use one descriptor of the queue's, and each fires for itself")
    void manyFilesOneDescriptor() {
        int[] files = new int[1000];
        for (int i = 0; i < files.length; i++) {
            files[i] = file(1);
            seek(files[i], 1);
        }
        int before = OpenFds.numbers().size();
        for (int file : files) {
            change(file, EVFILT_READ, EV_ADD);
        }
        assertTrue(OpenFds.numbers().size() <= before + 1);
        none();
        Libc.must("ftruncate", files[777], 5);
        assertEquals(files[777], next().ident());
    }
}
