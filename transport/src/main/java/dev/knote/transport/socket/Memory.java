package dev.knote.transport.socket;

import dev.knote.linux.Native;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Memory by address, unchecked: who asks knows that it is there. */
public final class Memory {
    private static final MemorySegment ALL = Native.memory(0, Long.MAX_VALUE);

    private Memory() {}

    public static int getByte(long at) {
        return ALL.get(ValueLayout.JAVA_BYTE, at) & 0xff;
    }

    public static int getShort(long at) {
        return ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, at) & 0xffff;
    }

    public static int getInt(long at) {
        return ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at);
    }

    public static long getLong(long at) {
        return ALL.get(ValueLayout.JAVA_LONG_UNALIGNED, at);
    }

    public static void putByte(long at, int value) {
        ALL.set(ValueLayout.JAVA_BYTE, at, (byte) value);
    }

    public static void putShort(long at, int value) {
        ALL.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, (short) value);
    }

    public static void putInt(long at, int value) {
        ALL.set(ValueLayout.JAVA_INT_UNALIGNED, at, value);
    }

    public static void putLong(long at, long value) {
        ALL.set(ValueLayout.JAVA_LONG_UNALIGNED, at, value);
    }

    public static void clear(long at, long bytes) {
        ALL.asSlice(at, bytes).fill((byte) 0);
    }

    public static void copy(long from, long to, long bytes) {
        MemorySegment.copy(ALL, from, ALL, to, bytes);
    }

    public static void put(long at, byte[] from) {
        MemorySegment.copy(from, 0, ALL, ValueLayout.JAVA_BYTE, at, from.length);
    }

    public static byte[] get(long at, int bytes) {
        byte[] into = new byte[bytes];
        MemorySegment.copy(ALL, ValueLayout.JAVA_BYTE, at, into, 0, bytes);
        return into;
    }
}
