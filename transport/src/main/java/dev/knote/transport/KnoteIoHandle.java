package dev.knote.transport;

import io.netty.channel.IoHandle;

/**
 * A handle on a {@link KnoteIoHandler}'s loop. It has no ident of its own: what it waits for is said by the
 * {@link KnoteIoOps} that are submitted to its registration, any number of knotes, and comes back as
 * {@link KnoteIoEvent}s.
 *
 * <p>Cancel the registration before the fds are closed, or the memory is unmapped, that it watches.
 */
@SuppressWarnings("try") // closing may throw what it likes, in Netty's interface
public interface KnoteIoHandle extends IoHandle {}
