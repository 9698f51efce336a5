/**
 * kqueue in Java: one call that waits for sockets, timers, user events and words of shared memory.
 *
 * <p>{@link dev.knote.EventQueue} is the face of a Java programmer, {@link dev.knote.Kqueue} that of somebody who ports
 * kevent(2) code from C. Both work on the same queues. {@link dev.knote.Filter} is for those who add a kind of event.
 */
package dev.knote;
