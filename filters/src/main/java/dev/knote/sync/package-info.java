/** Tokens, latches, sets of words to wait for, and a mutex, in memory that processes share. */
package dev.knote.sync;
