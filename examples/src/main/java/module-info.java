/** Examples of Knote. */
module dev.knote.examples {
    requires dev.knote.core;
    requires dev.knote.filters;
    requires dev.knote.transport;
    requires io.netty.buffer;
    requires io.netty.codec;
    requires io.netty.codec.http;
    requires io.netty.common;
    requires io.netty.handler;
    requires io.netty.transport;
}
