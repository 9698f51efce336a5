package dev.knote.examples.page;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The page's server with clients that are no browser; the test itself is who changes the words. */
@Timeout(60)
class PageServerTest {
    private static final byte[] PONG = {(byte) 0x8A, (byte) 0x80, 0, 0, 0, 0};

    private final HttpClient http = HttpClient.newHttpClient();
    private Words words;
    private PageServer server;

    @BeforeEach
    void open() throws Exception {
        words = Words.create();
        server = new PageServer(0, words, "a \"test\"");
    }

    @AfterEach
    void close() {
        http.shutdownNow();
        server.close();
        words.close();
    }

    @Test
    void thePageIsServedWholeAndNamesNothingOutside() throws Exception {
        HttpResponse<String> response = get("");
        assertEquals(200, response.statusCode());
        assertEquals("text/html; charset=utf-8", response.headers().firstValue("content-type").orElseThrow());
        assertTrue(response.body().startsWith("<!doctype html>"), response.body());
        assertTrue(response.body().endsWith("</html>\n"), response.body());
        assertFalse(response.body().replace("http://www.w3.org/2000/svg", "").contains("http"), "no address");
    }

    @Test
    void requestsThatItDoesNotKnowAreRefusedEachWithItsStatus() throws Exception {
        assertEquals(404, get("secret").statusCode());
        assertEquals(404, get("../page.html").statusCode());
        HttpResponse<String> posted = send(request("").POST(BodyPublishers.ofString("x")));
        assertEquals(405, posted.statusCode());
        assertEquals("GET, HEAD", posted.headers().firstValue("allow").orElseThrow());
        assertEquals(413, send(request("").POST(BodyPublishers.ofString("x".repeat(5000)))).statusCode());
        assertEquals(400, get("words").statusCode());
        assertEquals(403, send(request("").header("Origin", "http://elsewhere.example")).statusCode());
        assertEquals("HTTP/1.1 403", raw("GET / HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n"));
        assertEquals("HTTP/1.1 400", raw("nonsense\r\n\r\n"));
        assertEquals(200, get("").statusCode());
    }

    @Test
    void headAnswersAsGetWithoutTheBody() throws Exception {
        HttpResponse<String> head = send(request("").method("HEAD", BodyPublishers.noBody()));
        assertEquals(200, head.statusCode());
        assertEquals(get("").headers().firstValue("content-length"),
                head.headers().firstValue("content-length"));
    }

    @Test
    void aPageIsToldAllWordsAtOnceAndThenEveryChange() throws Exception {
        words.change(Word.WALK, 41);
        try (var page = page()) {
            assertTrue(page.await("words").contains("\"about\":\"a 'test'\""), "quotes are no harm");
            assertEquals(0, page.awaitValue(Word.TICKS, false));
            assertEquals(41, page.awaitValue(Word.WALK, false));
            for (int i = 1; i <= 100; i++) {
                long before = System.nanoTime();
                words.change(Word.TICKS, i);
                String message = page.await("\"word\":0,\"value\":" + i + ",");
                long seen = PageClient.number(message, "seen");
                assertEquals(i, PageClient.number(message, "changes"), message);
                assertTrue(PageClient.number(message, "stamp") >= before, message);
                assertTrue(seen >= PageClient.number(message, "stamp") && seen <= System.nanoTime(), message);
            }
        }
    }

    @Test
    void everyPageIsToldOfAChange() throws Exception {
        try (var one = page(); var other = page()) {
            one.awaitValue(Word.PROCESS, false);
            other.awaitValue(Word.PROCESS, false);
            words.change(Word.BITS, 7);
            assertEquals(7, one.awaitValue(Word.BITS, true));
            assertEquals(7, other.awaitValue(Word.BITS, true));
        }
    }

    @Test
    void askingAddsToTheQuestionAndTheTimeIsTold() throws Exception {
        try (var page = page()) {
            page.awaitValue(Word.PROCESS, false);
            page.send("ask");
            assertEquals(1, page.awaitValue(Word.QUESTION, true));
            page.send("ask");
            assertEquals(2, page.awaitValue(Word.QUESTION, true));
            long before = System.nanoTime();
            page.send("time 123.5");
            String time = page.await("\"time\":123.5,");
            assertTrue(PageClient.number(time, "now") >= before, time);
        }
    }

    @Test
    void whatNoPageSendsEndsItsConnectionAndNoOther() throws Exception {
        try (var good = page()) {
            for (String bad : List.of("", "ask again", "time", "time NaN", "{}", "x".repeat(256))) {
                try (var page = page()) {
                    page.send(bad);
                    assertEquals(1008, page.awaitClose(), bad);
                }
            }
            try (var page = page()) {
                page.send("x".repeat(257));
                assertEquals(1009, page.awaitClose(), "a message too big");
            }
            assertEquals("HTTP/1.1 403", raw(upgrade("Origin: http://elsewhere.example\r\n")));
            assertEquals(0, words.value(Word.QUESTION));
            words.change(Word.TICKS, 5);
            assertEquals(5, good.awaitValue(Word.TICKS, true));
        }
    }

    @Test
    void pagesBeyondTheMostAreToldToComeLater() throws Exception {
        List<PageClient> pages = new ArrayList<>();
        try {
            for (int i = 0; i < PageServer.MOST_PAGES; i++) {
                pages.add(page());
                pages.getLast().awaitValue(Word.PROCESS, false);
            }
            try (var more = page()) {
                assertEquals(1013, more.awaitClose());
            }
            words.change(Word.TICKS, 5);
            for (PageClient page : pages) {
                assertEquals(5, page.awaitValue(Word.TICKS, true));
            }
        } finally {
            pages.forEach(PageClient::close);
        }
        server.pages().awaitNone(Duration.ZERO, Duration.ZERO);
        try (var again = page()) {
            assertEquals(5, again.awaitValue(Word.TICKS, false));
        }
    }

    @Test
    void connectionsBeyondTheMostAreClosed() throws Exception {
        List<Socket> idle = new ArrayList<>();
        try {
            for (int i = 0; i < PageServer.MOST_CONNECTIONS; i++) {
                idle.add(connect());
            }
            try (Socket more = connect()) {
                assertEquals(-1, more.getInputStream().read());
            }
        } finally {
            for (Socket socket : idle) {
                socket.close();
            }
        }
    }

    @Test
    void aConnectionThatAsksNothingIsClosed() throws Exception {
        try (Socket socket = connect()) {
            assertEquals(-1, socket.getInputStream().read());
        }
    }

    /** What it missed it is not told: neither the server nor the kernel keeps more for it than a little. */
    @Test
    void aPageThatDoesNotReadForAWhileIsToldTheLastValues() throws Exception {
        int changes = 5000;
        try (var good = page(); Socket slow = new Socket()) {
            slow.setReceiveBufferSize(4096);
            slow.setSoTimeout(20_000);
            slow.connect(new InetSocketAddress("127.0.0.1", server.port()));
            slow.getOutputStream().write(upgrade("").getBytes(StandardCharsets.US_ASCII));
            good.awaitValue(Word.PROCESS, false);
            for (int i = 1; i <= changes; i++) {
                words.change(Word.TICKS, i);
                good.await("\"word\":0,\"value\":" + i + ",");
                if (i % 500 == 0) {
                    slow.getOutputStream().write(PONG); // it lives
                }
            }
            StringBuilder told = new StringBuilder();
            byte[] some = new byte[8192];
            while (told.indexOf("\"word\":0,\"value\":" + changes + ",") < 0) {
                int n = slow.getInputStream().read(some);
                assertTrue(n > 0, "the last value is told");
                told.append(new String(some, 0, n, StandardCharsets.ISO_8859_1));
            }
            assertTrue(told.toString().split("\"word\":0").length < changes * 3 / 4,
                    "what it did not read is not kept");
        }
    }

    /** Also where connections are not forgotten that the last one closed first. */
    @Test
    void aServerThatEndsStartsAgainOnItsPort() throws Exception {
        int port = server.port();
        try (var page = page()) {
            page.awaitValue(Word.PROCESS, false);
            server.close();
            page.awaitClose();
        }
        server = new PageServer(port, words, "again");
        assertEquals(200, get("").statusCode());
    }

    private String upgrade(String header) {
        return "GET /words HTTP/1.1\r\nHost: 127.0.0.1:" + server.port() + "\r\n" + header
                + "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    }

    private Socket connect() throws Exception {
        Socket socket = new Socket(InetAddress.getByName("127.0.0.1"), server.port());
        socket.setSoTimeout(20_000);
        return socket;
    }

    /** The beginning of the answer to something that a client of Java does not send. */
    private String raw(String request) throws Exception {
        try (Socket socket = connect()) {
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            InputStream in = socket.getInputStream();
            return new String(in.readNBytes("HTTP/1.1 200".length()), StandardCharsets.US_ASCII);
        }
    }

    private PageClient page() throws Exception {
        return new PageClient(http, server.url());
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(server.url() + path));
    }

    private HttpResponse<String> get(String path) throws Exception {
        return send(request(path));
    }

    private HttpResponse<String> send(HttpRequest.Builder request) throws Exception {
        return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }
}
