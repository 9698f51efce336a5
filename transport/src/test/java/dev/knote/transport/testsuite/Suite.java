package dev.knote.transport.testsuite;

import io.netty.channel.unix.DomainSocketAddress;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What the classes of Netty's test suite run on. Each of them is extended here by one that says with which
 * channels. The system property {@code knote.suite} chooses: {@code own}, the channels of this transport;
 * {@code nio}, stock NIO channels on its loops; {@code control}, NIO alone, which tells what the machine lets
 * pass.
 */
final class Suite {
    /** Tag of the classes that take long, TLS with all its parameters. */
    static final String TLS = "tls";
    /** Tag of the class that measures how fast bytes go, which holds on a quiet machine. */
    static final String TIMING = "timing";

    /** Why a test is skipped. */
    static final String NOT_FOR_NIO = "Netty's NIO channels cannot do this";

    static final KnoteSocketTestPermutation CHANNELS;

    static {
        SilentHost.prepare(); // before Netty's class reads its constants from system properties
        CHANNELS = new KnoteSocketTestPermutation(System.getProperty("knote.suite", "own"));
    }

    private Suite() {}

    /** A path that no file has yet, as an address of the kind that the channels take. */
    static SocketAddress newDomainAddress() {
        try {
            Path file = Files.createTempFile("knote", ".sock");
            Files.delete(file);
            file.toFile().deleteOnExit();
            return CHANNELS.isOwn() ? new DomainSocketAddress(file.toString())
                    : UnixDomainSocketAddress.of(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The same address for a channel of the JDK. */
    static SocketAddress jdkAddress(SocketAddress address) {
        return address instanceof DomainSocketAddress own ? UnixDomainSocketAddress.of(own.path()) : address;
    }
}
