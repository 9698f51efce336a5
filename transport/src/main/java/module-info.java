/** A transport on top of Knote; empty until it is written. */
module dev.knote.transport {
    requires transitive dev.knote.core;
}
