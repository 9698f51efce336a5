package dev.knote;

/**
 * Keeps the fields of a class that extends it off the cache lines of whatever lies in front of the object, which
 * collectors move: a thread that writes those would take the line from one that writes these. Two lines, since they are
 * fetched in pairs; the first field fills what a header leaves of eight bytes, where a subclass's would be put else.
 */
@SuppressWarnings("unused")
abstract class Padded {
    private int pad;
    private long pad1, pad2, pad3, pad4, pad5, pad6, pad7, pad8, pad9, pad10, pad11, pad12, pad13, pad14;
}
