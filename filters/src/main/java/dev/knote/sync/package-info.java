/**
 * What processes that share memory wait for each other with: tokens, latches, events, semaphores, a mutex, and sets of
 * them. Each class states its bytes, so that C takes part.
 */
package dev.knote.sync;
