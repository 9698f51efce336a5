package dev.knote.transport;

import dev.knote.KeventException;
import dev.knote.SharedMemory;
import dev.knote.linux.Errno;
import java.io.NotSerializableException;
import java.io.ObjectOutputStream;
import java.lang.foreign.MemorySegment;
import java.net.SocketAddress;
import java.util.Objects;

/**
 * Which word of memory: a segment of 4 or 8 bytes, or a place in named {@link SharedMemory}. What
 * {@link MemoryWordHandler} watches, and what a {@link MemoryWordChannel} is connected or bound to. Immutable.
 *
 * <p>Nothing is checked here: what is no word (a closed or too large segment, one that is not aligned to its size or
 * lies in the Java heap, a name that is not there) fails where the address is used, by a {@link MemoryWordException}.
 *
 * <p><b>Lifetime.</b> A segment is the caller's: it stays open, and its file uncut, as long as the word is used. Named
 * memory is opened by who uses the address, and closed when he ends.
 */
public final class MemoryWordAddress extends SocketAddress {
    private static final long serialVersionUID = 1L;

    private final transient MemorySegment segment;
    private final String name;
    private final long offset;
    private final int bytes;
    private final boolean isPrivate;
    private final boolean onlyChanges;

    private MemoryWordAddress(MemorySegment segment, String name, long offset, int bytes, boolean isPrivate,
            boolean onlyChanges) {
        this.segment = segment;
        this.name = name;
        this.offset = offset;
        this.bytes = bytes;
        this.isPrivate = isPrivate;
        this.onlyChanges = onlyChanges;
    }

    /**
     * A word that is mapped.
     *
     * @param word native memory of 4 or 8 bytes, aligned to its size, such as {@link SharedMemory#word32}
     */
    public static MemoryWordAddress of(MemorySegment word) {
        return new MemoryWordAddress(Objects.requireNonNull(word, "word"), null, 0,
                (int) Math.min(Integer.MAX_VALUE, word.byteSize()), false, false);
    }

    /**
     * A word of named shared memory.
     *
     * @param sharedMemory the name, as for {@link SharedMemory#open(String)}
     * @param offset where the word begins, in bytes: a multiple of its size
     * @param bytes its size, 4 or 8
     */
    public static MemoryWordAddress of(String sharedMemory, long offset, int bytes) {
        return new MemoryWordAddress(null, Objects.requireNonNull(sharedMemory, "sharedMemory"), offset,
                bytes, false, false);
    }

    /**
     * The same word, waited for and woken within this process alone: cheaper, and not seen by other processes. On one
     * loop a word is watched in one of the two ways.
     */
    public MemoryWordAddress privately() {
        return new MemoryWordAddress(segment, name, offset, bytes, true, onlyChanges);
    }

    /**
     * The same word, of which only changes count: an event says that the word is another than the one seen last. A wake
     * without a change is none, and a change that is changed back before anybody looks may not be seen. It needs a wake
     * as ever, but is cheaper: the word is armed with the wait, and a loop that spins sees it change without the kernel.
     */
    public MemoryWordAddress onlyChanges() {
        return new MemoryWordAddress(segment, name, offset, bytes, isPrivate, true);
    }

    /** The mapped word, or null for one that is named. */
    public MemorySegment segment() {
        return segment;
    }

    /** The shared memory's name, or null for a word that is mapped. */
    public String sharedMemory() {
        return name;
    }

    /** Where the word begins in its shared memory, in bytes. */
    public long offset() {
        return offset;
    }

    /** The word's size, 4 or 8. */
    public int bytes() {
        return bytes;
    }

    /** Whether it is waited for and woken within this process alone. */
    public boolean isPrivate() {
        return isPrivate;
    }

    /** Whether only changes count, and not every wake. */
    public boolean isOnlyChanges() {
        return onlyChanges;
    }

    /**
     * The word, to be closed.
     *
     * @param create makes named memory if there is none, or too little
     * @throws KeventException for what is no word, or cannot be opened
     */
    Word open(boolean create) {
        if (segment != null) {
            return new Word(segment);
        }
        if (offset < 0 || offset > Long.MAX_VALUE - Long.BYTES) {
            throw new KeventException(Errno.EINVAL, "word: its offset is " + offset);
        }
        if (bytes != Integer.BYTES && bytes != Long.BYTES) {
            throw new KeventException(Errno.EINVAL, "word: it has " + bytes + " bytes: expected 4 or 8");
        }
        long end = offset + bytes;
        SharedMemory memory = create ? SharedMemory.openOrCreate(name, end) : SharedMemory.open(name, end);
        try {
            return new Word(memory.segment().asSlice(offset, bytes), memory);
        } catch (Throwable t) {
            memory.close();
            throw t;
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof MemoryWordAddress that
                && (segment == null ? that.segment == null
                        : that.segment != null
                                && segment.address() == that.segment.address())
                && Objects.equals(name, that.name) && offset == that.offset && bytes == that.bytes
                && isPrivate == that.isPrivate && onlyChanges == that.onlyChanges;
    }

    @Override
    public int hashCode() {
        return Objects.hash(segment == null ? 0 : segment.address(), name, offset, bytes, isPrivate,
                onlyChanges);
    }

    /** Such as {@code word:0x7f0000001040/4} and {@code word:name+64/4}. */
    @Override
    public String toString() {
        return "word:" + (segment != null ? "0x" + Long.toHexString(segment.address()) : name + "+" + offset)
                + "/" + bytes + (isPrivate ? "/private" : "") + (onlyChanges ? "/changes" : "");
    }

    private void writeObject(ObjectOutputStream out) throws NotSerializableException {
        throw new NotSerializableException(getClass().getName());
    }
}
