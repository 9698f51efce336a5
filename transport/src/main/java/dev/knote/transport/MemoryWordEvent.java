package dev.knote.transport;

/**
 * A word of memory was changed and its waiters woken: what {@link MemoryWordHandler} fires and what is read from a
 * {@link MemoryWordChannel}. Immutable.
 *
 * @param name what the word was called when it was given to the handler; of a channel, its address
 * @param index the word's place among the handler's words; 0 of a channel
 * @param word where it is
 * @param value the last value, read after the wake and before anything later can be missed; 4 bytes are sign-extended
 * @param merged how many earlier events, that nobody had taken yet, this one stands for as well. What the kernel
 *     merges, wakes that come before the loop gets to see the first of them, is counted by nobody
 */
public record MemoryWordEvent(String name, int index, MemoryWordAddress word, long value, int merged) {}
