/**
 * Where waiting meets the operating system. {@link dev.knote.poll.Poller} is the contract and
 * {@link dev.knote.poll.Pollers} the choice; nothing here knows of knotes.
 */
package dev.knote.poll;
