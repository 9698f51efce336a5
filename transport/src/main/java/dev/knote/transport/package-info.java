/** A transport on top of Knote; empty until it is written. */
package dev.knote.transport;
