/**
 * System calls on sockets, and what goes into them and comes out: addresses, arrays of iovec, options, errors. An
 * argument or result named {@code *At} is an address of memory; who gives it keeps the memory.
 */
package dev.knote.transport.socket;
