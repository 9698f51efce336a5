package dev.knote.transport;

import static dev.knote.Kqueue.EVFILT_READ;
import static dev.knote.Kqueue.EVFILT_TIMER;
import static dev.knote.Kqueue.EVFILT_USER;
import static dev.knote.Kqueue.EV_ADD;
import static dev.knote.Kqueue.EV_CLEAR;
import static dev.knote.Kqueue.EV_DELETE;
import static dev.knote.Kqueue.EV_KEEPUDATA;
import static dev.knote.Kqueue.EV_ONESHOT;
import static dev.knote.Kqueue.NOTE_TRIGGER;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.channel.IoHandle;
import io.netty.channel.IoOps;
import io.netty.channel.IoRegistration;
import io.netty.channel.nio.NioIoOps;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What registrations promise: whose a knote is, what cancelling does and when, what is refused. */
@Timeout(30)
class LoopRegistrationTest {
    private static final long SOON = 5_000_000_000L;

    private HandLoop loop;

    @BeforeEach
    void open() {
        loop = new HandLoop();
    }

    @AfterEach
    void close() {
        loop.close();
    }

    private static KnoteIoOps user(long ident, int flags, Object udata) {
        return KnoteIoOps.of(ident, EVFILT_USER, flags, 0, 0, udata);
    }

    private static KnoteIoOps trigger(long ident) {
        return KnoteIoOps.of(ident, EVFILT_USER, EV_KEEPUDATA, NOTE_TRIGGER, 0);
    }

    @Test
    void ofOneIdentAndFilterThereIsOneKnoteAndASecondHandleIsRefused() throws Exception {
        var first = new RecordingHandle();
        var second = new RecordingHandle();
        loop.register(first).submit(user(1, EV_ADD | EV_CLEAR, "first"));
        IoRegistration late = loop.register(second);
        var refusal = assertThrows(IllegalStateException.class, () -> late.submit(user(1, EV_ADD, "second")));
        assertTrue(refusal.getMessage().contains("ident 1"), refusal.getMessage());
        late.submit(trigger(1)); // though it may be triggered by everybody
        assertEquals(1, loop.turn(SOON));
        assertEquals("first", first.events.remove().udata());
        assertTrue(second.events.isEmpty());
    }

    @Test
    void anotherHandleMayNotDeleteOrChangeAKnote() throws Exception {
        var owner = new RecordingHandle();
        loop.register(owner).submit(user(1, EV_ADD | EV_CLEAR, "mine"));
        IoRegistration other = loop.register(new RecordingHandle());
        assertThrows(UncheckedIOException.class, () -> other.submit(user(1, EV_DELETE, null)));
        assertThrows(UncheckedIOException.class, () -> other.submit(user(1, 0, "yours")));
        other.submit(trigger(1));
        loop.turn(SOON);
        assertEquals("mine", owner.events.remove().udata());
    }

    @Test
    void aKnoteThatIsAddedAgainByItsHandleIsChanged() throws Exception {
        var handle = new RecordingHandle();
        IoRegistration registration = loop.register(handle);
        registration.submit(user(1, EV_ADD | EV_CLEAR, "old"));
        registration.submit(user(1, EV_ADD | EV_CLEAR, "new"));
        registration.submit(trigger(1));
        loop.turn(SOON);
        assertEquals("new", handle.events.remove().udata());
        assertTrue(handle.events.isEmpty());
    }

    @Test
    void afterCancelTheIdentIsFreeAndNothingComes() throws Exception {
        var first = new RecordingHandle();
        IoRegistration registration = loop.register(first);
        registration.submit(user(1, EV_ADD | EV_CLEAR, "first"));
        registration.submit(trigger(1));
        assertTrue(registration.cancel());
        assertFalse(registration.cancel());
        assertFalse(registration.isValid());
        assertEquals(-1, registration.submit(user(2, EV_ADD, null)));
        var second = new RecordingHandle();
        IoRegistration successor = loop.register(second);
        successor.submit(user(1, EV_ADD | EV_CLEAR, "second"));
        successor.submit(trigger(1));
        assertEquals(1, loop.turn(SOON));
        assertEquals("second", second.events.remove().udata());
        assertTrue(first.events.isEmpty());
        assertEquals(List.of("registered", "unregistered"), new ArrayList<>(first.life));
    }

    /** Another thread has cancelled, and the loop has not got to it: the ident is free already. */
    @Test
    void aHandleThatIsBeingCancelledYieldsAndTakesNothingWithIt() throws Exception {
        var first = new RecordingHandle();
        IoRegistration registration = loop.register(first);
        registration.submit(user(1, EV_ADD, "first"));
        Thread.ofPlatform().start(registration::cancel).join();
        var second = new RecordingHandle();
        IoRegistration successor = loop.register(second);
        successor.submit(user(1, EV_ADD | EV_CLEAR, "second"));
        loop.runTasks(); // where the first one's cancelling goes on
        successor.submit(trigger(1));
        loop.turn(SOON);
        assertEquals("second", second.events.remove().udata());
        assertEquals(List.of("registered", "unregistered"), new ArrayList<>(first.life));
    }

    @Test
    void whoIsCancelledByTheHandleBeforeHimGetsNothingAndIsToldAfterTheBatch() throws Exception {
        var handles = List.of(new RecordingHandle(), new RecordingHandle());
        var registrations = new ArrayList<IoRegistration>();
        for (int i = 0; i < 2; i++) {
            registrations.add(loop.register(handles.get(i)));
            registrations.get(i).submit(user(i, EV_ADD | EV_CLEAR, i));
        }
        handles.get(0).then = () -> {
            registrations.get(1).cancel();
            assertFalse(handles.get(1).life.contains("unregistered"), "its events may be in the batch");
        };
        registrations.get(0).submit(trigger(0));
        registrations.get(1).submit(trigger(1));
        assertEquals(1, loop.turn(SOON));
        assertEquals(1, handles.get(0).events.size());
        assertTrue(handles.get(1).events.isEmpty());
        assertTrue(handles.get(1).life.contains("unregistered"));
    }

    @Test
    void anEventOfAKnoteThatAHandleDeletesInTheSameBatchIsNotGivenToItsSuccessor() throws Exception {
        var handle = new RecordingHandle();
        IoRegistration registration = loop.register(handle);
        for (int i = 0; i < 2; i++) {
            registration.submit(user(i, EV_ADD | EV_CLEAR, i));
            registration.submit(trigger(i));
        }
        handle.then = () -> {
            registration.submit(user(1, EV_DELETE, null));
            registration.submit(user(1, EV_ADD | EV_CLEAR, "new"));
        };
        assertEquals(1, loop.turn(SOON));
        assertEquals(1, handle.events.size());
    }

    @Test
    void aKnoteThatFiresOnceFreesItsIdent() throws Exception {
        var handle = new RecordingHandle();
        IoRegistration registration = loop.register(handle);
        registration.submit(KnoteIoOps.of(1, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0, 1));
        assertEquals(1, loop.turn(SOON));
        loop.register(new RecordingHandle()).submit(KnoteIoOps.of(1, EVFILT_TIMER, EV_ADD, 0, 60_000));
    }

    @Test
    void aChangeThatIsRefusedLeavesNothing() throws Exception {
        IoRegistration registration = loop.register(new RecordingHandle());
        assertThrows(UncheckedIOException.class,
                () -> registration.submit(KnoteIoOps.of(1 << 20, EVFILT_READ, EV_ADD, 0, 0)));
        assertThrows(UncheckedIOException.class, () -> registration.submit(user(1, EV_DELETE, null)));
        loop.register(new RecordingHandle()).submit(user(1, EV_ADD, null));
    }

    @Test
    void opsAndHandlesOfOtherKindsAreRefused() throws Exception {
        IoRegistration registration = loop.register(new RecordingHandle());
        assertThrows(IllegalArgumentException.class, () -> registration.submit(NioIoOps.READ));
        assertThrows(IllegalArgumentException.class, () -> registration.submit(new IoOps() {}));
        assertThrows(IllegalArgumentException.class, () -> loop.register(new IoHandle() {
            @Override
            public void handle(IoRegistration r, io.netty.channel.IoEvent e) {}

            @Override
            public void close() {}
        }));
    }

    @Test
    void otherThreadsRegisterChangeAndCancelAtWill() throws Exception {
        int threads = 4;
        int rounds = 300;
        var seen = new AtomicInteger();
        var cancelled = new AtomicInteger();
        List<Thread> all = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            int base = t * rounds;
            all.add(Thread.ofPlatform().start(() -> {
                for (int i = 0; i < rounds; i++) {
                    oneLife(base + i, seen, cancelled);
                }
            }));
        }
        while (cancelled.get() < threads * rounds) {
            loop.turn(SOON);
        }
        for (Thread thread : all) {
            thread.join();
        }
        assertEquals(threads * rounds, seen.get());
    }

    /** Registers on the loop, as Netty does; changes from here; cancels from here when the event was seen. */
    private void oneLife(int ident, AtomicInteger seen, AtomicInteger cancelled) {
        var registered = new CompletableFuture<IoRegistration>();
        var handle = new RecordingHandle() {
            @Override
            public void unregistered() {
                cancelled.incrementAndGet();
            }
        };
        loop.execute(() -> {
            try {
                registered.complete(loop.register(handle));
            } catch (Exception e) {
                registered.completeExceptionally(e);
            }
        });
        try {
            IoRegistration registration = registered.get();
            registration.submit(user(ident, EV_ADD | EV_CLEAR, null));
            registration.submit(trigger(ident));
            if (handle.events.poll(20, TimeUnit.SECONDS) != null) {
                seen.incrementAndGet();
            }
            registration.cancel();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void aHandleIsClosedOnceThoughTheLoopPreparesItsEndManyTimes() throws Exception {
        var early = new RecordingHandle();
        loop.register(early).submit(user(1, EV_ADD, null));
        loop.handler.prepareToDestroy();
        loop.handler.prepareToDestroy();
        var late = new RecordingHandle(); // a loop that shuts down takes handles yet
        loop.register(late);
        loop.handler.prepareToDestroy();
        loop.handler.prepareToDestroy();
        for (RecordingHandle handle : List.of(early, late)) {
            assertEquals(List.of("registered", "unregistered", "closed"), new ArrayList<>(handle.life));
        }
        assertNull(early.events.poll());
    }
}
