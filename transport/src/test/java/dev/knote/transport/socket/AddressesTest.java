package dev.knote.transport.socket;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.channel.unix.DomainSocketAddress;
import java.lang.foreign.Arena;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.UnresolvedAddressException;
import java.nio.channels.UnsupportedAddressTypeException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("once")
class AddressesTest {
    private final long at = Arena.ofAuto().allocate(1024, 8).address();

    private SocketAddress roundTrip(SocketAddress address, int family) throws Exception {
        return Addresses.decode(at, Addresses.encode(address, family, at));
    }

    @Test
    void anIPv4AddressComesBackFromASocketOfIPv4() throws Exception {
        var address = new InetSocketAddress("192.168.1.254", 65535);
        assertEquals(address, roundTrip(address, Socket.AF_INET));
        assertEquals(192, Memory.getByte(at + 4));
        assertEquals(254, Memory.getByte(at + 7));
        assertEquals(16, Addresses.encode(address, Socket.AF_INET, at));
    }

    @Test
    void anIPv4AddressIsMappedForASocketOfIPv6AndUnmappedAgain() throws Exception {
        var address = new InetSocketAddress("127.0.0.1", 80);
        assertEquals(address, roundTrip(address, Socket.AF_INET6));
        assertEquals(0xff, Memory.getByte(at + 8 + 10));
        assertEquals(0xff, Memory.getByte(at + 8 + 11));
        assertEquals(127, Memory.getByte(at + 8 + 12));
    }

    @Test
    void anIPv6AddressComesBackWithItsScope() throws Exception {
        byte[] linkLocal = InetAddress.getByName("fe80::1").getAddress();
        var address = new InetSocketAddress(Inet6Address.getByAddress(null, linkLocal, 7), 1);
        var back = assertInstanceOf(InetSocketAddress.class, roundTrip(address, Socket.AF_INET6));
        assertEquals(address, back);
        assertEquals(7, ((Inet6Address) back.getAddress()).getScopeId());
        var global = new InetSocketAddress("2001:db8::ffff", 443);
        assertEquals(global, roundTrip(global, Socket.AF_INET6));
        assertEquals(28, Addresses.encode(global, Socket.AF_INET6, at));
    }

    @Test
    void theWildcardOfIPv4IsThatOfBothOnASocketOfIPv6() throws Exception {
        var any = new InetSocketAddress("0.0.0.0", 5);
        assertEquals(new InetSocketAddress("::", 5), roundTrip(any, Socket.AF_INET6));
        assertEquals(any, roundTrip(any, Socket.AF_INET));
    }

    @Test
    void whatASocketCannotHaveIsRefused() {
        var six = new InetSocketAddress("::1", 1);
        assertThrows(UnsupportedAddressTypeException.class, () -> Addresses.encode(six, Socket.AF_INET, at));
        assertThrows(UnsupportedAddressTypeException.class,
                () -> Addresses.encode((SocketAddress) six, Socket.AF_UNIX, at));
        assertThrows(UnsupportedAddressTypeException.class,
                () -> Addresses.encode(new DomainSocketAddress("/tmp/x"), Socket.AF_INET6, at));
        assertThrows(UnresolvedAddressException.class, () -> Addresses.encode(
                (SocketAddress) InetSocketAddress.createUnresolved("localhost", 1), Socket.AF_INET6, at));
    }

    @Test
    void aPathComesBackFromBothKindsOfAddress() throws Exception {
        var path = new DomainSocketAddress("/tmp/ein Pf\u00e4dchen");
        assertEquals(path, roundTrip(path, Socket.AF_UNIX));
        assertEquals(path, roundTrip(UnixDomainSocketAddress.of(path.path()), Socket.AF_UNIX));
    }

    @Test
    void anAbstractNameKeepsItsNulsAndItsLength() throws Exception {
        var name = new DomainSocketAddress("\0a\0b");
        assertEquals(name, roundTrip(name, Socket.AF_UNIX));
        assertEquals(2 + 4, Addresses.encode(name, Socket.AF_UNIX, at));
        var longest = new DomainSocketAddress("\0" + "x".repeat(107));
        assertEquals(longest, roundTrip(longest, Socket.AF_UNIX));
    }

    @Test
    void aPathThatIsTooLongIsRefusedAndSaysHowLongItMayBe() throws Exception {
        var longest = new DomainSocketAddress("/" + "x".repeat(106));
        assertEquals(longest, roundTrip(longest, Socket.AF_UNIX));
        var e = assertThrows(SocketException.class, () -> Addresses.encode(
                new DomainSocketAddress(longest.path() + "y"), Socket.AF_UNIX, at));
        assertTrue(e.getMessage().contains("at most 107 bytes, not 108"), e.getMessage());
        assertThrows(SocketException.class, () -> Addresses.encode(
                new DomainSocketAddress("\0" + "x".repeat(108)), Socket.AF_UNIX, at));
        assertThrows(SocketException.class, () -> Addresses.encode(
                new DomainSocketAddress("/a\0b"), Socket.AF_UNIX, at));
    }

    @Test
    void aSocketKnowsItsNamesAndNoneThatItDoesNotHave() throws Exception {
        int[] fds = new int[2];
        fds[0] = Socket.open(Addresses.family(), Socket.SOCK_DGRAM);
        fds[1] = Socket.open(Addresses.family(), Socket.SOCK_DGRAM);
        try {
            var loopback = new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0);
            int length = Addresses.encode(loopback, Addresses.family(), at);
            assertEquals(0, Socket.bind(fds[0], at, length));
            var local = assertInstanceOf(InetSocketAddress.class, Addresses.local(fds[0]));
            assertEquals(loopback.getAddress(), local.getAddress());
            assertTrue(local.getPort() > 0);
            assertNull(Addresses.remote(fds[0]));
            assertEquals(0, Socket.connect(fds[1], at, Addresses.encode(local, Addresses.family(), at)));
            assertEquals(local, Addresses.remote(fds[1]));
            assertNull(Addresses.local(-1));
        } finally {
            Socket.close(fds[0]);
            Socket.close(fds[1]);
        }
    }
}
