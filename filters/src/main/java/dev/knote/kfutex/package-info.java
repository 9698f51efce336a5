/** I/O that is heard of through memory: events that change words, and events in a ring of shared memory. */
package dev.knote.kfutex;
