package dev.knote.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class IoUringTest {
    private static IoUring open(Arena arena) {
        MemorySegment params = IoUring.params(arena);
        int fd = IoUring.setup(8, 16, IoUring.IORING_SETUP_CLAMP | IoUring.IORING_SETUP_SUBMIT_ALL, params);
        assumeTrue(fd >= 0, "no ring here");
        return IoUring.open(fd, params);
    }

    private static void nothing(IoUring ring, long userData) {
        ring.prepare(IoUring.IORING_OP_NOP, -1, 0, 0, 0, 0, userData, 0);
    }

    @Test
    void whatIsWithdrawnNeverHappensAndItsRoomIsUsedAgain() {
        try (Arena arena = Arena.ofConfined()) {
            IoUring ring = open(arena);
            try {
                for (int round = 0; round < 10; round++) {
                    nothing(ring, 1);
                    nothing(ring, 2);
                    assertEquals(2, ring.withdraw());
                    assertEquals(0, ring.unsubmitted());
                    assertEquals(8, ring.room());
                    nothing(ring, 3);
                    assertEquals(1, ring.submit());
                    assertTrue(ring.next());
                    assertEquals(3, ring.userData());
                    assertFalse(ring.next(), "one completion only");
                    ring.release();
                }
            } finally {
                ring.close();
            }
        }
    }
}
