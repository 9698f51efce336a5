package dev.knote.transport.programs;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.dns.DatagramDnsQuery;
import io.netty.handler.codec.dns.DatagramDnsQueryDecoder;
import io.netty.handler.codec.dns.DatagramDnsResponse;
import io.netty.handler.codec.dns.DatagramDnsResponseEncoder;
import io.netty.handler.codec.dns.DefaultDnsRawRecord;
import io.netty.handler.codec.dns.DnsQuestion;
import io.netty.handler.codec.dns.DnsRecordType;
import io.netty.handler.codec.dns.DnsSection;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.atomic.AtomicInteger;

/** A DNS server that knows every name: it is this machine. So a program's resolver has to send datagrams. */
final class NameServer implements AutoCloseable {
    /** A name that no file of hosts has. */
    static final String NAME = "program.knote.test";

    private static final int TTL_SECONDS = 3600;

    private final EventLoopGroup group = Channels.newGroup();
    private final AtomicInteger answered = new AtomicInteger();
    private final Channel channel;

    NameServer(Channels channels) {
        channel = new Bootstrap().group(group).channelFactory(channels::datagram)
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel made) {
                        made.pipeline().addLast(new DatagramDnsQueryDecoder(),
                                new DatagramDnsResponseEncoder(),
                                new Answers());
                    }
                }).bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0)).syncUninterruptibly()
                .channel();
    }

    InetSocketAddress address() {
        return (InetSocketAddress) channel.localAddress();
    }

    /** How many names were asked for. */
    int answered() {
        return answered.get();
    }

    @Override
    public void close() {
        channel.close().awaitUninterruptibly();
        Channels.shutDown(group);
    }

    private final class Answers extends SimpleChannelInboundHandler<DatagramDnsQuery> {
        @Override
        protected void channelRead0(ChannelHandlerContext context, DatagramDnsQuery query) {
            DnsQuestion question = query.recordAt(DnsSection.QUESTION);
            var response = new DatagramDnsResponse(query.recipient(), query.sender(), query.id());
            response.addRecord(DnsSection.QUESTION, question);
            if (question.type().equals(DnsRecordType.A)) {
                byte[] here = InetAddress.getLoopbackAddress().getAddress();
                response.addRecord(DnsSection.ANSWER,
                        new DefaultDnsRawRecord(question.name(), DnsRecordType.A,
                                TTL_SECONDS, Unpooled.wrappedBuffer(here)));
                answered.incrementAndGet();
            }
            context.writeAndFlush(response);
        }
    }
}
