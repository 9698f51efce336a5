package dev.knote.transport.differential;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.channel.Channel;
import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelFactory;
import io.netty.channel.ChannelOption;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.socket.nio.NioChannelOption;
import io.netty.channel.unix.UnixChannelOption;
import java.io.IOException;
import java.lang.reflect.Field;
import java.net.NetworkInterface;
import java.net.SocketOption;
import java.net.StandardProtocolFamily;
import java.nio.channels.DatagramChannel;
import java.nio.channels.NetworkChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whatever option a program sets on a channel of NIO, it may set on ours, and is told the same. */
class OptionDifferenceTest {
    /** The kinds of channel, and the JDK's, which tells what it supports. */
    enum Kind {
        SOCKET(side -> side.socket, SocketChannel::open),
        SERVER(side -> side.server, ServerSocketChannel::open),
        DATAGRAM(side -> side.datagram, DatagramChannel::open),
        DOMAIN(side -> side.domain, () -> SocketChannel.open(StandardProtocolFamily.UNIX)),
        DOMAIN_SERVER(side -> side.domainServer, () -> ServerSocketChannel.open(StandardProtocolFamily.UNIX));

        final Function<Side, ChannelFactory<? extends Channel>> channel;
        final Jdk jdk;

        Kind(Function<Side, ChannelFactory<? extends Channel>> channel, Jdk jdk) {
            this.channel = channel;
            this.jdk = jdk;
        }

        Channel open(Side side) {
            return channel.apply(side).newChannel();
        }
    }

    interface Jdk {
        NetworkChannel open() throws IOException;
    }

    private interface Question {
        Object ask();
    }

    /** The JDK's, by the name that a Netty program gives them, and Netty's. */
    private static Set<ChannelOption<?>> options() throws Exception {
        Set<ChannelOption<?>> all = new LinkedHashSet<>();
        for (Kind kind : Kind.values()) {
            try (NetworkChannel supported = kind.jdk.open()) {
                for (SocketOption<?> option : supported.supportedOptions()) {
                    all.add(NioChannelOption.of(option));
                }
            }
        }
        for (Class<?> owner : new Class<?>[] {ChannelOption.class, UnixChannelOption.class}) {
            for (Field field : owner.getFields()) {
                if (field.get(null) instanceof ChannelOption<?> option) {
                    all.add(option);
                }
            }
        }
        return all;
    }

    private static Object answer(Question question) {
        try {
            return question.ask();
        } catch (RuntimeException e) {
            return e.getClass().getName();
        }
    }

    /** Another value than {@code now}, or null if the test knows none. */
    private static Object other(ChannelOption<?> option, Object now) throws Exception {
        return switch (now) {
            case Boolean set -> !set;
            case Integer number when option.name().equals("IP_TOS") -> 0x10;
            case Integer number when isSize(option) -> 20_000;
            case Integer number -> number <= 0 || number == Integer.MAX_VALUE ? 5 : number + 1;
            case Long number -> number + 1;
            case WriteBufferWaterMark mark -> new WriteBufferWaterMark(mark.low() + 1, mark.high() + 1);
            case null -> option.name().equals("IP_MULTICAST_IF") ? NetworkInterface.getByName("lo") : null;
            default -> null;
        };
    }

    /** Of which the JDK tells half of what the kernel does. */
    private static boolean isSize(ChannelOption<?> option) {
        return option.name().equals("SO_SNDBUF") || option.name().equals("SO_RCVBUF");
    }

    /** What stands in docs/transport.md: one that is not there, and one that NIO has the other way round. */
    private static boolean isKnownToDiffer(ChannelOption<?> option) {
        return option.name().equals("SO_PEERCRED") || option == ChannelOption.IP_MULTICAST_LOOP_DISABLED;
    }

    private static List<String> told(ChannelOption<?> option, Object other, ChannelConfig config,
            boolean isListing) {
        List<String> lines = new ArrayList<>();
        Object first = answer(() -> config.getOption(option));
        lines.add(first == null || isSize(option) || other == null
                ? (first == null ? "null" : "a value")
                : first.getClass() + " " + first);
        if (isListing) {
            lines.add(config.getOptions().containsKey(option) ? "listed" : "not listed");
        }
        if (other != null) {
            lines.add("set: " + answer(() -> config.setOption(cast(option), other)));
            Object then = answer(() -> config.getOption(option));
            lines.add("then " + (isSize(option) ? "a value" : then));
        }
        return lines;
    }

    @SuppressWarnings("unchecked")
    private static ChannelOption<Object> cast(ChannelOption<?> option) {
        return (ChannelOption<Object>) option;
    }

    @ParameterizedTest
    @EnumSource
    void whatNioKnowsIsKnown(Kind kind) throws Exception {
        List<String> nios = new ArrayList<>();
        List<String> owns = new ArrayList<>();
        for (ChannelOption<?> option : options()) {
            Channel nio = kind.open(Side.NIO);
            Channel own = kind.open(Side.OWN);
            try {
                Object now = answer(() -> nio.config().getOption(option));
                if (now != null && !isKnownToDiffer(option)) {
                    Object other = other(option, now);
                    // NIO's Unix domain channels cannot list theirs
                    boolean lists = answer(() -> nio.config().getOptions()) instanceof Map;
                    nios.add(option + ": " + told(option, other, nio.config(), lists));
                    owns.add(option + ": " + told(option, other, own.config(), lists));
                }
            } finally {
                nio.unsafe().closeForcibly();
                own.unsafe().closeForcibly();
            }
        }
        assertTrue(nios.size() > 8, nios::toString);
        assertEquals(String.join("\n", nios), String.join("\n", owns));
    }
}
