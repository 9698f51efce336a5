package dev.knote.words;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.EventQueue;
import dev.knote.KeventList;
import dev.knote.Kqueue;
import dev.knote.SharedMemory;
import dev.knote.filters.User;
import dev.knote.kfutex.EventFeed;
import dev.knote.kfutex.EventRing;
import dev.knote.kfutex.Kfutex;
import dev.knote.kfutex.Requeue;
import dev.knote.kfutex.Rule;
import dev.knote.percpu.CpuEvents;
import dev.knote.percpu.CpuFreeList;
import dev.knote.percpu.CpuWords;
import dev.knote.percpu.OpsVector;
import dev.knote.pool.LeaderFollowers;
import dev.knote.pool.PoolOptions;
import dev.knote.sync.JobTokens;
import dev.knote.sync.Latch;
import dev.knote.sync.LatchGroup;
import dev.knote.sync.ProcessEnd;
import dev.knote.sync.SharedEvent;
import dev.knote.sync.SharedMutex;
import dev.knote.sync.SharedSemaphore;
import dev.knote.sync.WaitSet;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;

/** What is built on words, used wrongly: the error names the argument, what it is, and what was expected. */
@Timeout(60)
class WrongUseTest {
    private static final Duration NEGATIVE = Duration.ofSeconds(-1);
    private static final SharedMemory MEMORY = SharedMemory.anonymous(8192);
    private static final MemorySegment WORDS = MEMORY.segment();
    private static final EventQueue QUEUE = EventQueue.open();

    /** Takes memory, at its beginning. */
    private interface Maker {
        Object make(MemorySegment memory);
    }

    /**
     * @param name of the call, as messages have it
     * @param align what the address has to be a multiple of
     */
    private record Made(String name, int align, Maker maker) {}

    private static final List<Made> ALL = List.of(
            new Made("JobTokens.of", 8, memory -> JobTokens.of(memory, 4)),
            new Made("JobTokens.of", 8, JobTokens::of),
            new Made("Latch.of", 4, memory -> Latch.of(memory, 0)),
            new Made("Latch.own", 4, memory -> Latch.own(memory, 0)),
            new Made("SharedEvent.auto", 4, memory -> SharedEvent.auto(memory, 0)),
            new Made("SharedEvent.manual", 4, memory -> SharedEvent.manual(memory, 0)),
            new Made("SharedSemaphore.of", 4, memory -> SharedSemaphore.of(memory, 0)),
            new Made("SharedMutex.of", 64, memory -> SharedMutex.of(memory, 0)),
            new Made("WaitSet.add", 4, memory -> WaitSet.open().add(memory, 0)),
            new Made("CpuWords.of", 64, memory -> CpuWords.of(memory, 0, 1)),
            new Made("CpuEvents.of", 64, memory -> CpuEvents.of(memory, 0, 1)),
            new Made("CpuFreeList.of", 64, memory -> CpuFreeList.of(memory, 0, 1, 4)),
            new Made("OpsVector.on", 64, memory -> OpsVector.on(memory, 0)),
            new Made("EventRing.create", 64, memory -> EventRing.create(memory, 4)),
            new Made("EventRing.open", 64, EventRing::open),
            new Made("Requeue.move: from", 4, memory -> Requeue.move(memory, 0, 1, 1, WORDS)),
            new Made("Requeue.move: to", 4, memory -> Requeue.move(WORDS, 0, 1, 1, memory)),
            new Made("Rule", 4, memory -> Rule.set(memory, 1)));

    @AfterAll
    static void close() {
        QUEUE.close();
        MEMORY.close();
    }

    private static DynamicTest wrong(String name, Executable call, String... parts) {
        return DynamicTest.dynamicTest(name, () -> {
            RuntimeException thrown = assertThrows(RuntimeException.class, call);
            String message = thrown.getClass().getSimpleName() + ": " + thrown.getMessage();
            for (String part : parts) {
                assertTrue(message.contains(part), () -> "\"" + message + "\" without \"" + part + "\"");
            }
        });
    }

    @TestFactory
    Stream<DynamicTest> memoryThatIsNone() {
        List<DynamicTest> tests = new ArrayList<>();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment closed = arena.allocate(4096, 64);
            for (Made one : ALL) {
                String name = one.name;
                Maker maker = one.maker;
                tests.add(wrong(name + ": null", () -> maker.make(null), name, "is null: expected"));
                tests.add(
                        wrong(name + ": heap", () -> maker.make(MemorySegment.ofArray(new long[1024])), name,
                                "Java heap: expected native memory"));
                tests.add(wrong(name + ": short", () -> maker.make(WORDS.asSlice(0, 2)), name,
                        "it has 2 bytes: expected"));
                tests.add(wrong(name + ": misaligned", () -> maker.make(WORDS.asSlice(one.align / 2)), name,
                        "is not aligned to " + one.align));
                tests.add(wrong(name + ": read-only", () -> maker.make(WORDS.asReadOnly()), name,
                        "read-only: expected memory to write to"));
                tests.add(wrong(name + ": closed", () -> maker.make(closed), name, "closed: expected"));
            }
        }
        return tests.stream();
    }

    @TestFactory
    Stream<DynamicTest> offsetsThatAreNone() {
        return Stream.of(
                wrong("Latch", () -> Latch.of(WORDS, -4), "Latch.of", "offset -4"),
                wrong("event", () -> SharedEvent.auto(WORDS, 8192), "SharedEvent.auto", "offset 8192"),
                wrong("semaphore", () -> SharedSemaphore.of(WORDS, 2), "SharedSemaphore.of", "aligned to 4"),
                wrong("mutex", () -> SharedMutex.of(WORDS, 8160), "SharedMutex.of",
                        "expected 64 at offset 8160"),
                wrong("words", () -> CpuWords.of(WORDS, Long.MIN_VALUE, 1), "CpuWords.of", "at offset -"),
                wrong("vector", () -> OpsVector.on(WORDS, Long.MAX_VALUE), "OpsVector.on", "at offset 9"));
    }

    @TestFactory
    Stream<DynamicTest> synchronizersUsedWrongly() {
        JobTokens tokens = JobTokens.of(WORDS.asSlice(4096, 256), 2);
        SharedSemaphore semaphore = SharedSemaphore.of(WORDS, 1024);
        SharedMutex mutex = SharedMutex.of(WORDS, 1088);
        WaitSet set = WaitSet.open();
        Latch latch = Latch.own(WORDS, 1028);
        return Stream.of(
                wrong("no tokens", () -> JobTokens.bytes(0), "tokens is 0: expected 1 to"),
                wrong("release of a free one", () -> tokens.release(0),
                        "token is 0: expected one that this process holds"),
                wrong("release of none", () -> tokens.release(-1), "token is -1: expected 0 to 1"),
                wrong("released twice", () -> {
                    int token = tokens.tryTake();
                    tokens.release(token);
                    tokens.release(token);
                }, "JobTokens.release: token is", "not a free one"),
                wrong("holder of none", () -> tokens.holderPid(2),
                        "JobTokens.holderPid: token is 2: expected 0 to 1"),
                wrong("take", () -> {
                    int a = tokens.tryTake();
                    int b = tokens.tryTake();
                    try {
                        tokens.take(NEGATIVE);
                    } finally {
                        tokens.release(a);
                        tokens.release(b);
                    }
                }, "JobTokens.take: timeout is PT-1S: expected zero or more"),
                wrong("no queue", () -> tokens.waitIn(null, ""), "JobTokens.waitIn: queue is null"),
                wrong("latch", () -> latch.await(NEGATIVE), "Latch.await: timeout is PT-1S"),
                wrong("latch polled", () -> latch.poll(QUEUE, event -> {}, NEGATIVE),
                        "Latch.poll: timeout is PT-1S"),
                wrong("latch without queue", () -> latch.poll(null, event -> {}, null),
                        "Latch.poll: events is null"),
                wrong("latch without handler", () -> latch.poll(QUEUE, null, null), "Latch.poll: to is null"),
                wrong("latch of others", () -> Latch.of(WORDS, 1032).await(null), "expected Latch.own"),
                wrong("latch, closed queue", () -> {
                    EventQueue queue = EventQueue.open();
                    queue.close();
                    latch.poll(queue, event -> {}, Duration.ofSeconds(1));
                }, "closed"),
                wrong("group of null", () -> new LatchGroup(null), "latches is null"),
                wrong("group of none", () -> new LatchGroup(List.of()),
                        "latches is empty: expected one or more"),
                wrong("null in group", () -> new LatchGroup(Arrays.asList(latch, null)),
                        "one of latches is null"),
                wrong("units 0", () -> semaphore.release(0), "units is 0: expected a number of 1 or more"),
                wrong("units < 0", () -> semaphore.release(-5), "units is -5: expected"),
                wrong("units > most", () -> {
                    semaphore.release(1);
                    semaphore.release(SharedSemaphore.MOST);
                }, "units is 1073741823, there are", "expected no more than"),
                wrong("unlock of a free one", mutex::unlock, "SharedMutex.unlock: the calling thread is",
                        "is free"),
                wrong("unlocked twice", () -> {
                    mutex.lock();
                    mutex.unlock();
                    mutex.unlock();
                }, "SharedMutex.unlock", "expected its owner"),
                wrong("consistent", mutex::consistent, "SharedMutex.consistent", "expected its owner"),
                wrong("mutex", () -> mutex.tryLock(NEGATIVE),
                        "SharedMutex.tryLock: timeout is PT-1S: expected"),
                wrong("event null", () -> set.add((SharedEvent) null), "WaitSet.add: event is null"),
                wrong("semaphore null", () -> set.add((SharedSemaphore) null),
                        "WaitSet.add: semaphore is null"),
                wrong("mutex null", () -> set.add((SharedMutex) null), "WaitSet.add: mutex is null"),
                wrong("empty set", () -> set.waitAny(null), "waitAny: there is nothing in the set"),
                wrong("empty set, all", () -> set.waitAll(null), "waitAll: there is nothing in the set"),
                wrong("no index", () -> set.expect(0, 1), "index is 0: expected one of the 0"),
                wrong("set", () -> {
                    try (WaitSet other = WaitSet.open()) {
                        other.add(WORDS.asSlice(1036), 0);
                        other.waitAny(NEGATIVE);
                    }
                }, "waitAny: timeout is PT-1S: expected"),
                wrong("closed set", () -> {
                    WaitSet other = WaitSet.open();
                    other.close();
                    other.waitAny(null);
                }, "WaitSet: it is closed"),
                wrong("no process", () -> ProcessEnd.of(-1), "ProcessEnd.of: pid is -1: expected a process"),
                wrong("closed end", () -> {
                    ProcessEnd end = ProcessEnd.of((int) ProcessHandle.current().pid());
                    end.close();
                    end.close();
                    end.interest();
                }, "ProcessEnd: it is closed"));
    }

    @TestFactory
    Stream<DynamicTest> perCpuWordsUsedWrongly() {
        CpuWords words = CpuWords.of(WORDS, 2048, 1);
        CpuFreeList list = CpuFreeList.of(WORDS, 2112, 1, 4);
        CpuEvents events = CpuEvents.of(WORDS, 2304, 1);
        OpsVector vector = OpsVector.on(WORDS, 2560).add(3072, 1);
        return Stream.of(
                wrong("counter", () -> words.add(8, 1), "CpuWords.add: word is 8: expected 0 to 7"),
                wrong("sum", () -> words.sum(-1), "CpuWords.sum: word is -1: expected 0 to 7"),
                wrong("lines", () -> CpuWords.bytes(0), "CpuWords.bytes: 0 lines: expected 1 at least"),
                wrong("lines of events", () -> CpuEvents.bytes(-1), "CpuEvents.bytes: -1 lines: expected"),
                wrong("lines of list", () -> CpuFreeList.of(WORDS, 0, 0, 1),
                        "CpuFreeList.of: 0 lines: expected"),
                wrong("size", () -> CpuFreeList.bytes(1, -1),
                        "CpuFreeList.bytes: size -1: expected 1 at least"),
                wrong("push", () -> list.push(4), "CpuFreeList.push: index 4: expected 0 to 3"),
                wrong("push < 0", () -> list.push(-1), "CpuFreeList.push: index -1: expected 0 to 3"),
                wrong("signal", () -> events.signal(0), "CpuEvents.signal: 0 waiters: expected 1 at least"),
                wrong("await", () -> events.await(0, NEGATIVE),
                        "CpuEvents.await: timeout is PT-1S: expected"),
                wrong("offset", () -> vector.get(8192), "offset 8192: expected 8 bytes within 8192"),
                wrong("unaligned", () -> vector.get(4), "offset 4: expected a multiple of 8"),
                wrong("own region", () -> vector.set(2568, 1),
                        "offset 2568: expected one that is not of the region"),
                wrong("value", () -> vector.value(1), "operation 1: expected less than 1"),
                wrong("operand", () -> vector.operand(-1, 1), "operation -1: expected less than 1"),
                wrong("wake", () -> vector.wake(3080, 0), "a wake of 0 waiters: expected 1 at least"),
                wrong("shift", () -> vector.shiftLeft(3080, 64), "a shift by 64 bits: expected 0 to 63"),
                wrong("closed memory", () -> {
                    OpsVector other;
                    CpuFreeList gone;
                    try (SharedMemory memory = SharedMemory.anonymous(4096)) {
                        other = OpsVector.on(memory.segment(), 0).add(512, 1);
                        gone = CpuFreeList.of(memory.segment(), 0, 1, 1);
                    }
                    assertThrows(IllegalStateException.class, () -> gone.push(0));
                    other.run();
                }, "IllegalStateException", "closed"),
                wrong("foreign thread", () -> {
                    try (Arena arena = Arena.ofConfined()) {
                        CpuWords confined = CpuWords.of(arena.allocate(64, 64), 0, 1);
                        Throwable[] thrown = new Throwable[1];
                        Thread other = Thread.ofPlatform().start(() -> {
                            thrown[0] = assertThrows(WrongThreadException.class, () -> confined.add(1));
                        });
                        join(other);
                        throw (RuntimeException) thrown[0];
                    }
                }, "WrongThreadException"));
    }

    private static void join(Thread other) {
        try {
            other.join();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @TestFactory
    Stream<DynamicTest> eventsInMemoryUsedWrongly() {
        EventRing ring = EventRing.create(WORDS.asSlice(6144), 4);
        KeventList list = KeventList.allocate(2);
        Kfutex kfutex = new Kfutex();
        kfutex.close();
        return Stream.of(
                wrong("put nothing", () -> ring.put(null, 0, 1), "EventRing.put: events is null"),
                wrong("put too many", () -> ring.put(list, 1, 2),
                        "from is 1, n is 2: expected entries of the list, which has 2"),
                wrong("put < 0", () -> ring.put(list, -1, 1), "from is -1"),
                wrong("drop", () -> ring.drop(-1), "EventRing.drop: n is -1: expected 0 or more"),
                wrong("take into nothing", () -> ring.take(null, 1, null), "EventRing.take: into is null"),
                wrong("take none", () -> ring.take(list, 0, null), "EventRing.take: n is 0: expected 1 to"),
                wrong("take", () -> ring.take(list, 1, NEGATIVE),
                        "EventRing.take: the timeout is PT-1S: expected"),
                wrong("room", () -> ring.awaitRoom(NEGATIVE),
                        "EventRing.awaitRoom: the timeout is PT-1S: expected"),
                wrong("slots", () -> EventRing.bytes(3), "slots is 3: expected a power of two"),
                wrong("feed of null", () -> new EventFeed(null, EventFeed.Full.WAIT),
                        "EventFeed: ring is null"),
                wrong("feed", () -> new EventFeed(ring, null), "EventFeed: full is null: expected"),
                wrong("requeue", () -> Requeue.move(WORDS, 0, -1, 1, WORDS.asSlice(4)),
                        "wake is -1, move is 1: expected 0"),
                wrong("closed", () -> kfutex.bind(User.of(1), Rule.set(WORDS, 1)),
                        "Kfutex.bind: it is closed"),
                wrong("no options", () -> new Kfutex(null), "Kfutex: options is null"),
                wrong("rules", () -> bind(User.of(1)), "there is no rule: expected one or more"),
                wrong("null rules", () -> bind(User.of(1), (Rule[]) null),
                        "rules is null: expected one or more"),
                wrong("null rule", () -> bind(User.of(1), (Rule) null), "a rule is null"),
                wrong("no interest", () -> bind(null, Rule.set(WORDS, 1)), "interest is null"),
                wrong("rule", () -> Rule.set(WORDS, 1).wake(-1), "Rule.wake", "expected"),
                wrong("test", () -> Rule.set(WORDS, 1).whenAfter(null, 1), "the test is null: expected"),
                wrong("ended binding", () -> {
                    try (Kfutex other = new Kfutex()) {
                        var binding = other.bind(User.of(1), Rule.set(WORDS, 1));
                        binding.unbind();
                        binding.unbind();
                        binding.trigger();
                    }
                }, "Binding: it has ended: expected one that is bound"));
    }

    private static void bind(dev.knote.Interest interest, Rule... rules) {
        try (Kfutex kfutex = new Kfutex()) {
            kfutex.bind(interest, rules);
        }
    }

    @TestFactory
    Stream<DynamicTest> poolsUsedWrongly() {
        PoolOptions options = PoolOptions.defaults();
        return Stream.of(
                wrong("queue", () -> LeaderFollowers.start(null, options),
                        "LeaderFollowers.start: queue is null"),
                wrong("options", () -> LeaderFollowers.start(QUEUE, null),
                        "LeaderFollowers.start: options is null"),
                wrong("threads", () -> options.threads(0, 1), "expected"),
                wrong("bound", () -> options.bound(Duration.ZERO), "bound", "expected"),
                wrong("policy", () -> options.policy(null), "PoolOptions.policy: it is null"),
                wrong("work", () -> call(), "LeaderFollowers.blocking: work is null"),
                wrong("resize", () -> pool(pool -> pool.resize(2, 1)), "LeaderFollowers.resize", "expected"),
                wrong("interest", () -> pool(pool -> pool.register(null, event -> {})), "interest is null"),
                wrong("handler", () -> pool(pool -> pool.register(User.of(1), null)), "handler is null"),
                wrong("wait", () -> pool(pool -> {
                    try {
                        pool.awaitTermination(NEGATIVE);
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                }), "LeaderFollowers.awaitTermination: timeout is PT-1S: expected"));
    }

    private static void call() {
        try {
            LeaderFollowers.blocking(null);
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static void pool(java.util.function.Consumer<LeaderFollowers> use) {
        try (EventQueue queue = EventQueue.open();
                LeaderFollowers pool = LeaderFollowers.start(queue, PoolOptions.defaults())) {
            use.accept(pool);
        }
    }

    /** No number of nanoseconds, and no error. */
    @TestFactory
    Stream<DynamicTest> aTimeLongerThanThereIsIsForEver() {
        Duration eternity = Duration.ofSeconds(Long.MAX_VALUE);
        EventRing ring = EventRing.create(WORDS.asSlice(7168), 2);
        KeventList list = KeventList.allocate(1);
        list.set(0, 1, Kqueue.EVFILT_USER, 0, 0, 0, null);
        CpuEvents events = CpuEvents.of(WORDS, 3200, 1);
        Latch latch = Latch.own(WORDS, 3500);
        events.signal();
        latch.set();
        return Stream.of(
                DynamicTest.dynamicTest("events", () -> assertTrue(events.await(0, eternity) > 0)),
                DynamicTest.dynamicTest("latch", () -> assertTrue(latch.await(eternity))),
                DynamicTest.dynamicTest("ring", () -> {
                    assertTrue(ring.put(list, 0, 1) == 1);
                    assertTrue(ring.take(list, 1, eternity) == 1);
                    assertTrue(ring.awaitRoom(eternity));
                }),
                DynamicTest.dynamicTest("mutex", () -> {
                    SharedMutex mutex = SharedMutex.of(WORDS, 3584);
                    assertTrue(mutex.tryLock(eternity) == SharedMutex.Outcome.LOCKED);
                    mutex.unlock();
                }),
                DynamicTest.dynamicTest("pool", () -> {
                    try (EventQueue queue = EventQueue.open()) {
                        LeaderFollowers pool = LeaderFollowers.start(queue, PoolOptions.defaults());
                        pool.close();
                        assertTrue(pool.awaitTermination(eternity));
                    }
                }));
    }
}
