package dev.knote.transport;

import java.io.IOException;

/**
 * A word of memory cannot be watched or changed, or can no longer be: it is no word, its memory is gone, the loop is
 * not a {@link KnoteIoHandler}'s. Nobody but the one told is concerned: the loop and other words go on. The cause, if
 * there is one, is a {@link dev.knote.KeventException} with an errno.
 */
public class MemoryWordException extends IOException {
    private static final long serialVersionUID = 1L;

    private final transient MemoryWordAddress word;

    MemoryWordException(MemoryWordAddress word, String message, Throwable cause) {
        super(word + ": " + message, cause);
        this.word = word;
    }

    MemoryWordException(MemoryWordAddress word, Throwable cause) {
        this(word, cause.getMessage(), cause);
    }

    /** Which word; null after serialization. */
    public MemoryWordAddress word() {
        return word;
    }
}
