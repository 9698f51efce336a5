package dev.knote.examples.page;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.examples.Program;
import java.io.IOException;
import java.net.URI;
import java.net.URLDecoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Chromium without a window, driven by its DevTools protocol. */
final class Browser implements AutoCloseable, WebSocket.Listener {
    private static final int SECONDS = 30;

    private final HttpClient http = HttpClient.newHttpClient();
    private final Map<String, CompletableFuture<String>> expected = new ConcurrentHashMap<>();
    private final StringBuilder received = new StringBuilder();
    private final Process process;
    private WebSocket socket;
    private int commands;

    private Browser(Process process) {
        this.process = process;
    }

    /** Its command; null if there is none. */
    static String command() throws Exception {
        for (String name : List.of("chromium", "chromium-browser", "google-chrome")) {
            if (Program.isThere(name)) {
                Process version = new ProcessBuilder(name, "--version")
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .redirectError(ProcessBuilder.Redirect.DISCARD).start();
                if (version.waitFor(SECONDS, TimeUnit.SECONDS) && version.exitValue() == 0) {
                    return name;
                }
                version.destroyForcibly();
            }
        }
        return null;
    }

    /** Arguments: the command, an empty directory. */
    static Browser start(String command, Path directory) throws Exception {
        Path log = directory.resolve("log");
        ProcessBuilder builder = new ProcessBuilder(command, "--headless=new", "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage", "--no-first-run", "--no-proxy-server", "--hide-scrollbars",
                "--disable-extensions", "--disable-background-networking", "--remote-debugging-port=0",
                "--user-data-dir=" + directory, "about:blank").redirectErrorStream(true)
                .redirectOutput(log.toFile());
        builder.environment().put("TMPDIR", directory.toString());
        Process process = builder.start();
        Browser browser = new Browser(process);
        boolean connected = false;
        try {
            browser.connect(directory.resolve("DevToolsActivePort"), log);
            connected = true;
        } finally {
            if (!connected) {
                browser.close();
            }
        }
        return browser;
    }

    private void connect(Path portFile, Path log) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
        while (!Files.exists(portFile) || Files.readString(portFile).lines().count() < 2) {
            assertTrue(process.isAlive() && System.nanoTime() < end,
                    () -> "the browser does not start: " + read(log));
            process.waitFor(20, TimeUnit.MILLISECONDS);
        }
        String port = Files.readAllLines(portFile).getFirst();
        String targets = http.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/json/list")).build(),
                HttpResponse.BodyHandlers.ofString()).body();
        Matcher page = Pattern.compile("\"type\": \"page\".*?\"webSocketDebuggerUrl\": \"([^\"]*)\"",
                Pattern.DOTALL).matcher(targets);
        assertTrue(page.find(), targets);
        socket = http.newWebSocketBuilder().buildAsync(URI.create(page.group(1)), this).get(SECONDS,
                TimeUnit.SECONDS);
        command("Page.enable", "");
    }

    private static String read(Path log) {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            return e.toString();
        }
    }

    @Override
    public CompletionStage<?> onText(WebSocket from, CharSequence data, boolean last) {
        received.append(data);
        if (last) {
            String message = received.toString();
            received.setLength(0);
            Matcher key = Pattern.compile("^\\{\"(id|method)\":\"?([A-Za-z0-9.]+)").matcher(message);
            CompletableFuture<String> future = key.find() ? expected.remove(key.group(2)) : null;
            if (future != null) {
                future.complete(message);
            }
        }
        from.request(1);
        return null;
    }

    private CompletableFuture<String> expect(String key) {
        CompletableFuture<String> future = new CompletableFuture<>();
        expected.put(key, future);
        return future.orTimeout(SECONDS, TimeUnit.SECONDS);
    }

    private String command(String method, String parameters) throws Exception {
        String id = Integer.toString(++commands);
        CompletableFuture<String> answer = expect(id);
        socket.sendText("{\"id\":" + id + ",\"method\":\"" + method + "\",\"params\":{" + parameters + "}}",
                true)
                .get(SECONDS, TimeUnit.SECONDS);
        String text = answer.get();
        assertTrue(!text.contains("\"error\":{"), text);
        return text;
    }

    void open(String url) throws Exception {
        CompletableFuture<String> loaded = expect("Page.loadEventFired");
        command("Page.navigate", "\"url\":\"" + url + "\"");
        loaded.get();
    }

    void reload() throws Exception {
        CompletableFuture<String> loaded = expect("Page.loadEventFired");
        command("Page.reload", "");
        loaded.get();
    }

    /** The value of an expression, as text. */
    String evaluate(String expression) throws Exception {
        String text = "(async () => encodeURIComponent(String(await (" + expression + "))))()";
        String quoted = text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n");
        String answer = command("Runtime.evaluate", "\"expression\":\"" + quoted
                + "\",\"awaitPromise\":true,\"returnByValue\":true");
        assertTrue(!answer.contains("\"exceptionDetails\""), answer);
        return URLDecoder.decode(group(answer, "\"value\":\"([^\"]*)\"").replace("+", "%2B"),
                StandardCharsets.UTF_8);
    }

    /** Waits until an expression is true; it is asked by the page itself, so that what shows shortly is seen. */
    void await(String condition, double seconds) throws Exception {
        String outcome = evaluate("new Promise(done => { const end = performance.now() + " + seconds * 1000
                + "; const ask = () => { const is = (" + condition + "); if (is || performance.now() > end) "
                + "done(is ? 'yes' : document.body.innerText); else setTimeout(ask, 10); }; ask(); })");
        assertTrue(outcome.equals("yes"),
                condition + " is not so within " + seconds + " s; the page:\n" + outcome);
    }

    /** How the page looks in a window of some size, as PNG. */
    byte[] screenshot(int width, int height, boolean dark) throws Exception {
        command("Emulation.setEmulatedMedia", "\"features\":[{\"name\":\"prefers-color-scheme\",\"value\":\""
                + (dark ? "dark" : "light") + "\"}]");
        command("Emulation.setDeviceMetricsOverride", "\"width\":" + width + ",\"height\":" + height
                + ",\"deviceScaleFactor\":1,\"mobile\":false");
        evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))");
        return Base64.getDecoder().decode(group(command("Page.captureScreenshot", "\"format\":\"png\""),
                "\"data\":\"([^\"]*)\""));
    }

    private static String group(String text, String pattern) {
        Matcher matcher = Pattern.compile(pattern).matcher(text);
        assertTrue(matcher.find(), text);
        return matcher.group(1);
    }

    @Override
    public void close() throws IOException {
        List<ProcessHandle> all = new ArrayList<>(process.descendants().toList());
        all.add(process.toHandle());
        all.forEach(ProcessHandle::destroyForcibly);
        all.forEach(one -> one.onExit().orTimeout(SECONDS, TimeUnit.SECONDS).join());
        if (socket != null) {
            socket.abort();
        }
        http.shutdownNow();
    }
}
