package dev.knote.benchmarks;

import dev.knote.linux.Fds;
import dev.knote.linux.Threads;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** One side of a ping-pong of a byte, or of an eventfd's count, by what Java has without Knote. */
final class ByteRoundTrip {
    private ByteRoundTrip() {}

    /** The ping's work, and the pong's. */
    interface Line {
        void send() throws IOException;

        void receive() throws IOException;
    }

    static Operation ping(Line line) {
        return n -> {
            for (int i = 0; i < n; i++) {
                line.send();
                line.receive();
            }
        };
    }

    static Operation.Server pong(LineMaker maker, String address) {
        return new Operation.Server() {
            @Override
            public void serve() throws IOException {
                Line line = maker.open();
                for (;;) {
                    line.receive();
                    line.send();
                }
            }

            @Override
            public String address() {
                return address;
            }
        };
    }

    /** Opens the pong's end, which may have to wait for the ping's. */
    interface LineMaker {
        Line open() throws IOException;
    }

    /** Two FIFOs, made before: DIR/ping and DIR/pong. */
    static Line fifos(boolean pings, String directory) throws IOException {
        Path there = Path.of(directory, "ping");
        Path back = Path.of(directory, "pong");
        if (pings) {
            var out = FileChannel.open(there, StandardOpenOption.WRITE);
            return channels(out, FileChannel.open(back, StandardOpenOption.READ));
        }
        var in = FileChannel.open(there, StandardOpenOption.READ);
        return channels(FileChannel.open(back, StandardOpenOption.WRITE), in);
    }

    static Operation.Server unixPong(String directory) throws IOException {
        var server = ServerSocketChannel.open(java.net.StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(Path.of(directory, "socket")));
        return pong(() -> channel(server.accept()), "");
    }

    static Line unixPing(String directory) throws IOException {
        return channel(SocketChannel.open(UnixDomainSocketAddress.of(Path.of(directory, "socket"))));
    }

    static Operation.Server eventFdPong() {
        int there = Linux.blockingEventFd();
        int back = Linux.blockingEventFd();
        return pong(() -> eventFds(back, there), Threads.getpid() + ":" + there + ":" + back);
    }

    /** @param address the pong's pid and its two eventfds */
    static Line eventFdPing(String address) {
        String[] parts = address.split(":");
        int pid = Integer.parseInt(parts[0]);
        return eventFds(
                Linux.fdOf(pid, Integer.parseInt(parts[1])), Linux.fdOf(pid, Integer.parseInt(parts[2])));
    }

    private static Line eventFds(int out, int in) {
        MemorySegment one = Arena.global().allocate(8, 8);
        MemorySegment count = Arena.global().allocate(8, 8);
        one.set(ValueLayout.JAVA_LONG, 0, 1);
        return new Line() {
            @Override
            public void send() {
                Fds.write(out, one.address(), Long.BYTES);
            }

            @Override
            public void receive() {
                Fds.read(in, count.address(), Long.BYTES);
            }
        };
    }

    private static Line channel(ByteChannel channel) {
        return channels(channel, channel);
    }

    private static Line channels(WritableByteChannel out, ReadableByteChannel in) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(1);
        return new Line() {
            @Override
            public void send() throws IOException {
                out.write(buffer.clear());
            }

            @Override
            public void receive() throws IOException {
                in.read(buffer.clear());
            }
        };
    }
}
