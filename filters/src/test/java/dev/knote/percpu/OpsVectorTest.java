package dev.knote.percpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.KeventException;
import dev.knote.SharedMemory;
import dev.knote.linux.Errno;
import dev.knote.words.Words;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(300)
class OpsVectorTest {
    private static final int REGION = 1024;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;

    private final SharedMemory memory = SharedMemory.anonymous(4096);
    private final MemorySegment all = memory.segment();

    @AfterEach
    void close() {
        memory.close();
    }

    private OpsVector vector() {
        return OpsVector.on(all, REGION);
    }

    @Test
    void eachOperationDoesWhatItSaysOn64Bits() {
        all.set(LONG, 0, 5);
        all.set(LONG, 8, -8);
        OpsVector all64 = vector().equal(0, 5).notEqual(0, 6).notEqualWords(0, 8).get(8).add(0, 1L << 40)
                .or(0, 2).and(0, ~1).xor(0, 0x10).barrier().copy(0, 16).equalWords(0, 16).shiftLeft(16, 3)
                .shiftRight(8, 1).set(24, Long.MIN_VALUE);
        assertEquals(OpsVector.DONE, all64.run());
        long word = ((5 + (1L << 40) | 2) & ~1) ^ 0x10;
        assertEquals(word, all.get(LONG, 0));
        assertEquals(word << 3, all.get(LONG, 16));
        assertEquals(-8L >>> 1, all.get(LONG, 8));
        assertEquals(Long.MIN_VALUE, all.get(LONG, 24));
        assertEquals(-8, all64.value(3), "what get has read");
        assertEquals(5 + (1L << 40), all64.value(4), "what the word was after the addition");
    }

    @Test
    void eachOperationDoesWhatItSaysOn32Bits() {
        all.set(INT, 0, -1);
        all.set(INT, 4, 77);
        OpsVector all32 = vector().words32().equal(0, 0xffffffffL).equal(0, -1).notEqual(0, 1).add(0, 3)
                .or(0, 8).and(0, 0xe).xor(0, 0x8000_0000L).copy(0, 8).equalWords(8, 0).shiftRight(8, 4)
                .shiftLeft(0, 1).set(12, -2).notEqualWords(8, 0).get(4);
        assertEquals(OpsVector.DONE, all32.run());
        int word = ((-1 + 3 | 8) & 0xe) ^ 0x8000_0000;
        assertEquals(word << 1, all.get(INT, 0));
        assertEquals(word >>> 4, all.get(INT, 8));
        assertEquals(-2, all.get(INT, 12));
        assertEquals(77, all.get(INT, 4), "beside words that were written");
        assertEquals(77, all32.value(13));
    }

    @Test
    void wordsOfBothSizesMayBeInOneVector() {
        assertEquals(OpsVector.DONE, vector().add(0, 1).words32().add(8, -1).words64().add(16, 2).run());
        assertEquals(1, all.get(LONG, 0));
        assertEquals(0xffffffffL, all.get(LONG, 8));
        assertEquals(2, all.get(LONG, 16));
    }

    @Test
    void aComparisonThatFailsIsNamedAndNothingIsDone() {
        all.set(LONG, 8, 9);
        OpsVector vector = vector().add(0, 1).equal(0, 1).add(0, 1).equal(8, 10).set(16, 3).wake(24, 1);
        assertEquals(3, vector.run());
        assertEquals(0, all.get(LONG, 0));
        assertEquals(0, all.get(LONG, 16));
        assertEquals(9, vector.value(3), "what it was instead");
        assertEquals(OpsVector.DONE, vector.operand(3, 9).operand(0, 5).operand(1, 5).run());
        assertEquals(6, all.get(LONG, 0));
        assertEquals(3, all.get(LONG, 16));
    }

    @Test
    void wrongVectorsAreRefusedBeforeAnythingIsDone() {
        MemorySegment heap = MemorySegment.ofArray(new long[512]);
        assertEquals(Errno.EFAULT, errno(() -> OpsVector.on(heap, 0)));
        assertEquals(Errno.EACCES, errno(() -> OpsVector.on(all.asReadOnly(), 0)));
        assertEquals(Errno.EINVAL, errno(() -> OpsVector.on(all, 4096 - 320)));
        assertEquals(Errno.EINVAL, errno(() -> OpsVector.on(all, 8)));
        assertEquals(Errno.EFAULT, errno(() -> vector().add(4096, 1)));
        assertEquals(Errno.EFAULT, errno(() -> vector().add(-8, 1)));
        assertEquals(Errno.EFAULT, errno(() -> vector().copy(Long.MAX_VALUE - 7, 0)));
        assertEquals(Errno.EFAULT, errno(() -> vector().wake(4096, 1)));
        assertEquals(Errno.EINVAL, errno(() -> vector().add(4, 1)), "not aligned");
        assertEquals(Errno.EINVAL, errno(() -> vector().words32().add(2, 1)), "not aligned");
        assertEquals(Errno.EINVAL, errno(() -> vector().add(REGION + 8, 1)), "in the region");
        assertEquals(Errno.EINVAL, errno(() -> vector().wake(REGION, 1)), "in the region");
        assertEquals(Errno.EINVAL, errno(() -> vector().add(0, 1).words32().add(4, 1)), "overlaps");
        assertEquals(Errno.EINVAL, errno(() -> vector().words32().get(0).words64().add(0, 1)), "overlaps");
        assertEquals(Errno.EINVAL, errno(() -> vector().words32().add(0, 1L << 32)));
        assertEquals(Errno.EINVAL, errno(() -> vector().words32().shiftLeft(0, 32)));
        assertEquals(Errno.EINVAL, errno(() -> vector().shiftRight(0, 64)));
        assertEquals(Errno.EINVAL, errno(() -> vector().shiftRight(0, -1)));
        assertEquals(Errno.EINVAL, errno(() -> vector().wake(0, 0)));
        assertEquals(Errno.EINVAL, errno(() -> vector().wake(0, 1).wake(0, 1)));
        assertEquals(Errno.EINVAL, errno(() -> vector().copy(0, 8).operand(0, 3)));
        assertEquals(Errno.EINVAL, errno(() -> vector().value(0)));
        OpsVector full = vector();
        for (int i = 0; i < OpsVector.MOST; i++) {
            full.copy(8 * i, 512 + 8 * i);
        }
        assertEquals(Errno.EINVAL, errno(() -> full.add(0, 1)));
        assertEquals(Errno.EINVAL, errno(full::barrier));
        assertEquals(OpsVector.DONE, full.run(), "it is as it was");
    }

    @Test
    void aRegionThatIsUsedInAnotherPidNamespaceIsRefused() {
        all.set(LONG, REGION + 16, 12345);
        KeventException refused = assertThrows(KeventException.class, this::vector);
        assertTrue(refused.getMessage().contains("pid namespace 12345"), refused.getMessage());
    }

    @Test
    void aVectorThatIsDoneWakesAWaiter() throws Exception {
        CountDownLatch before = new CountDownLatch(1);
        MemorySegment word = all.asSlice(64, 4);
        Thread waiter = Thread.ofPlatform().daemon().start(() -> {
            before.countDown();
            while (Words.get(word) == 0) {
                Words.sleep(word, 0, Words.NEVER);
            }
        });
        before.await();
        OpsVector vector = vector().equal(0, 0).words32().add(64, 1).wake(64, 1);
        assertEquals(OpsVector.DONE, vector.run());
        waiter.join(20_000);
        assertTrue(!waiter.isAlive(), "nobody woke it");
    }

    @Test
    void threadsThatMoveAndThreadsThatLookSeeTheSameSum() throws Exception {
        int n = Others.FULL ? 3_000_000 : 100_000;
        int words = 8;
        for (int i = 0; i < words; i++) {
            all.set(LONG, 8 * i, 100);
        }
        AtomicBoolean over = new AtomicBoolean();
        Others.inThreads(4, thread -> {
            if (thread < 2) {
                for (int i = 0; i < n; i++) {
                    int from = ThreadLocalRandom.current().nextInt(words);
                    if (i % 1000 == 0 || i < 10) {
                        vector().add(8 * from, -1).add(8 * ((from + 3) % words), 1).run();
                    } else {
                        movers.get()[from].run();
                    }
                }
                over.set(true);
            } else {
                OpsVector look = vector();
                for (int i = 0; i < words; i++) {
                    look.get(8 * i);
                }
                while (!over.get()) {
                    look.run();
                    long sum = 0;
                    for (int i = 0; i < words; i++) {
                        sum += look.value(i);
                    }
                    assertEquals(100 * words, sum);
                }
            }
        });
    }

    private final ThreadLocal<OpsVector[]> movers = ThreadLocal.withInitial(() -> {
        OpsVector[] made = new OpsVector[8];
        for (int from = 0; from < made.length; from++) {
            made[from] = vector().add(8 * from, -1).add(8 * ((from + 1) % made.length), 1);
        }
        return made;
    });

    private static int errno(Runnable call) {
        return assertThrows(KeventException.class, call::run).errno();
    }
}
