/**
 * Thin bindings to the Linux system calls that Knote needs, under their C names. A call that fails returns
 * {@code -errno}; nothing here throws for an errno, keeps state or knows anything else of Knote.
 */
package dev.knote.linux;
