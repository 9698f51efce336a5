/** Netty on Knote: event loops whose handles are knotes, and channels for them. */
module dev.knote.transport {
    requires transitive dev.knote.core;
    requires dev.knote.filters;
    requires org.slf4j;
    requires io.netty.common;
    requires transitive io.netty.buffer;
    requires transitive io.netty.transport;
    requires transitive io.netty.transport.unix.common;
    requires static io.netty.transport.classes.kqueue;

    exports dev.knote.transport;
}
