package dev.knote.transport;

import dev.knote.KeventException;
import io.netty.channel.ChannelOutboundBuffer;
import java.util.ArrayDeque;

/** Writes the messages of a {@link MemoryWordChannel}. */
final class MemoryWordWrites implements ChannelOutboundBuffer.MessageProcessor {
    private final MemoryWordAddress address;
    private final Word word;
    private final ArrayDeque<Failure> failures = new ArrayDeque<>(0);
    private int done;
    private long wakes;
    private KeventException gone;

    /** What the operation in this place of the flush failed with. */
    private record Failure(int place, MemoryWordException why) {}

    MemoryWordWrites(MemoryWordAddress address, Word word) {
        this.address = address;
        this.word = word;
    }

    /**
     * Does what has been flushed, wakes, and only then tells the promises, whose listeners may do anything.
     *
     * @throws MemoryWordException if the memory is gone; what had been done before is told as such
     */
    void write(ChannelOutboundBuffer buffer) throws MemoryWordException {
        while (buffer.current() != null) {
            begin();
            try {
                buffer.forEachFlushedMessage(this);
                word.wake((int) Math.min(Integer.MAX_VALUE, wakes), address.isPrivate());
            } catch (KeventException e) {
                gone = e;
            } catch (Exception e) {
                throw new AssertionError("the processor throws nothing", e);
            }
            tell(buffer);
            if (gone != null) {
                throw new MemoryWordException(address, gone);
            }
        }
    }

    private void begin() {
        failures.clear();
        done = 0;
        wakes = 0;
        gone = null;
    }

    /** One operation; false ends the round. */
    @Override
    public boolean processMessage(Object message) {
        var op = (MemoryWordOp) message;
        if (!op.fits(word.bytes)) {
            failures.add(new Failure(done++, new MemoryWordException(address, op
                    + ": a word of 4 bytes has no such value", null)));
            return true;
        }
        long before;
        try {
            before = word.apply(op);
        } catch (KeventException e) {
            gone = e;
            return false;
        }
        if (op.kind() == MemoryWordOp.Kind.COMPARE_AND_SET && before != word.normal(op.expected())) {
            failures.add(new Failure(done, new MemoryWordMismatchException(address, op.expected(), before)));
        } else {
            wakes += op.wakes();
        }
        done++;
        return true;
    }

    /** Removes the messages that were processed, and those that had been cancelled. */
    private void tell(ChannelOutboundBuffer buffer) {
        int place = 0;
        for (Object message; (message = buffer.current()) != null;) { // a listener may close the channel
            if (!(message instanceof MemoryWordOp)) {
                buffer.remove();
                continue;
            }
            if (place == done) {
                return;
            }
            Failure failure = failures.peekFirst();
            if (failure != null && failure.place == place) {
                failures.removeFirst();
                buffer.remove(failure.why);
            } else {
                buffer.remove();
            }
            place++;
        }
    }
}
