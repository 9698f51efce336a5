package dev.knote.transport;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** After whatever came and went a process has the fds, threads and memory that it had: in a JVM that counts them. */
@Timeout(120)
class LeakTest {
    @TempDir
    Path directory;

    @ParameterizedTest
    @ValueSource(strings = {"groups", "servers", "moves", "refused"})
    void nothingIsLeft(String what) throws Exception {
        try (Changer program = Changer.jvm(directory, LeakProgram.class,
                List.of("-XX:NativeMemoryTracking=summary", "-Xmx96m",
                        "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"),
                what)) {
            program.join(Duration.ofSeconds(100));
        }
    }
}
