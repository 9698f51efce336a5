/** Threads that share the events of a queue among themselves. */
package dev.knote.pool;
