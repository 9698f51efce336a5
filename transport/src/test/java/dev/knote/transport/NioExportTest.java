package dev.knote.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.channel.nio.NioIoHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A JVM without the option that NIO channels need, and one without Netty's kqueue classes. */
@Timeout(60)
class NioExportTest {
    /** In the other JVM: a stock channel on our loop, and what came of it. */
    static final class Program {
        private Program() {}

        public static void main(String[] args) {
            var group = new io.netty.channel.MultiThreadIoEventLoopGroup(1, KnoteIoHandler.newFactory());
            System.out.println("takes NIO handles: " + group.isCompatible(NioIoHandle.class));
            var channel = new io.netty.channel.socket.nio.NioSocketChannel();
            Throwable cause = group.register(channel).awaitUninterruptibly().cause();
            System.out.println(
                    cause == null ? "registered" : cause.getClass().getName() + ": " + cause.getMessage());
            group.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
            System.out.println("ended");
        }
    }

    private static String run(String classPath, String... options) throws Exception {
        var command = new java.util.ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("--enable-native-access=ALL-UNNAMED");
        command.addAll(java.util.List.of(options));
        command.addAll(java.util.List.of("-cp", classPath, Program.class.getName()));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        try {
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertTrue(process.waitFor(30, TimeUnit.SECONDS));
            assertEquals(0, process.exitValue(), output);
            return output;
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    void withoutTheOptionTheErrorNamesItAndTheLoopLives() throws Exception {
        String output = run(System.getProperty("java.class.path"));
        assertTrue(output.contains("IllegalStateException"), output);
        assertTrue(output.contains("--add-exports java.base/sun.nio.ch=ALL-UNNAMED"), output);
        assertTrue(output.contains("ended"), output);
    }

    @Test
    void netsKqueueClassesNeedNotBeThere() throws Exception {
        String without = String.join(":",
                java.util.Arrays.stream(System.getProperty("java.class.path").split(":"))
                        .filter(entry -> !entry.contains("classes-kqueue")).toList());
        String output = run(without, "--add-exports", "java.base/sun.nio.ch=ALL-UNNAMED");
        assertTrue(output.contains("takes NIO handles: true"), output);
        assertTrue(output.contains("registered"), output);
    }
}
