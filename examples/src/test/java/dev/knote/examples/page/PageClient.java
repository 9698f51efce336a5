package dev.knote.examples.page;

import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/** What a page is to the server, without a browser. */
final class PageClient implements AutoCloseable, WebSocket.Listener {
    private static final int SECONDS = 20;

    private final BlockingQueue<String> messages = new LinkedBlockingQueue<>();
    private final CompletableFuture<Integer> closed = new CompletableFuture<>();
    private final StringBuilder received = new StringBuilder();
    private final WebSocket socket;

    PageClient(HttpClient http, String url) throws Exception {
        socket = http.newWebSocketBuilder()
                .buildAsync(URI.create(url.replace("http:", "ws:") + "words"), this)
                .get(SECONDS, TimeUnit.SECONDS);
    }

    void send(String text) throws Exception {
        socket.sendText(text, true).get(SECONDS, TimeUnit.SECONDS);
    }

    /** The next message that matches. */
    String await(String pattern) throws Exception {
        Pattern wanted = Pattern.compile(pattern);
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
        while (true) {
            String message = messages.poll(end - System.nanoTime(), TimeUnit.NANOSECONDS);
            assertNotNull(message, "no message: " + pattern);
            if (wanted.matcher(message).find()) {
                return message;
            }
        }
    }

    /** The value of a word in the next message about it; with the time when a handler saw it, if it is fresh. */
    int awaitValue(Word word, boolean fresh) throws Exception {
        String message = await("^\\{\"word\":" + word.ordinal() + ",.*\"seen\":" + (fresh ? "[1-9]" : ""));
        return (int) number(message, "value");
    }

    static long number(String message, String name) {
        var matcher = Pattern.compile("\"" + name + "\":(-?\\d+)").matcher(message);
        assertTrue(matcher.find(), message);
        return Long.parseLong(matcher.group(1));
    }

    /** With what status the server closes it; 1006 if it says none. */
    int awaitClose() throws Exception {
        return closed.get(SECONDS, TimeUnit.SECONDS);
    }

    @Override
    public CompletionStage<?> onText(WebSocket from, CharSequence data, boolean last) {
        received.append(data);
        if (last) {
            messages.add(received.toString());
            received.setLength(0);
        }
        from.request(1);
        return null;
    }

    @Override
    public CompletionStage<?> onClose(WebSocket from, int status, String reason) {
        closed.complete(status);
        return null;
    }

    @Override
    public void onError(WebSocket from, Throwable error) {
        closed.complete(1006);
    }

    @Override
    public void close() {
        socket.abort();
    }
}
