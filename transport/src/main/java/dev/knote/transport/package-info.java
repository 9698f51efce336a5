/**
 * Netty on Knote. A program changes its group, {@code new MultiThreadIoEventLoopGroup(KnoteIoHandler.newFactory())}, and
 * has the channels of this package, stock NIO channels, any filter of Knote and words of shared memory on one loop.
 */
package dev.knote.transport;
