package dev.knote.filters.conformance;

import static dev.knote.Kqueue.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.knote.KeventList;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** EVFILT_TIMER while the wall clock is set: in a process whose wall clock is a library's, which steps it. */
@Timeout(60)
class TimerClockTest {
    private static final String CLOCK = """
            #define _GNU_SOURCE
            #include <dlfcn.h>
            #include <time.h>
            static volatile long step;
            void step_clock(long seconds) { step += seconds; }
            int clock_gettime(clockid_t clock, struct timespec *time) {
                int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
                int result = real(clock, time);
                if (result == 0 && clock == CLOCK_REALTIME) time->tv_sec += step;
                return result;
            }
            """;

    @TempDir
    Path directory;

    @Test
    @DisplayName("TIMER-38 relative timers do not care for steps of the wall clock; a moment does not come before it is")
    void timer38_clockSteps() throws Exception {
        Path source = Files.writeString(directory.resolve("clock.c"), CLOCK);
        Path library = directory.resolve("clock.so");
        assumeTrue(compiles(source, library), "no gcc to build the clock with");
        String output = Child.run(
                Child.java(Steps.class, library.toString()), Map.of("LD_PRELOAD", library.toString()));
        assertEquals("""
                stepped: true
                relative, set back: true
                relative, set forward: true
                moment, set back: true
                """, output);
    }

    private static boolean compiles(Path source, Path library) throws InterruptedException {
        try {
            Process gcc = new ProcessBuilder("gcc", "-shared", "-fPIC", "-o", library.toString(),
                    source.toString(), "-ldl").inheritIO().start();
            return gcc.waitFor() == 0;
        } catch (java.io.IOException e) {
            return false;
        }
    }

    /** The process with the clock. */
    @SuppressWarnings("restricted")
    static final class Steps {
        private static final Duration LIMIT = Duration.ofSeconds(5);
        private static MethodHandle step;
        private static int queue;

        private Steps() {}

        public static void main(String[] arguments) throws Throwable {
            SymbolLookup library = SymbolLookup.libraryLookup(Path.of(arguments[0]), Arena.global());
            step = Linker.nativeLinker().downcallHandle(
                    library.findOrThrow("step_clock"), FunctionDescriptor.ofVoid(ValueLayout.JAVA_LONG));
            queue = kqueue();
            long before = System.currentTimeMillis();
            step(7200);
            System.out.println("stepped: " + (System.currentTimeMillis() - before >= 7_200_000));
            System.out.println("relative, set back: " + relative(-3600));
            System.out.println("relative, set forward: " + relative(3600));
            System.out.println("moment, set back: " + moment());
        }

        private static boolean relative(int seconds) throws Throwable {
            long start = System.nanoTime();
            timer(0, 200);
            step(seconds);
            boolean fired = fires();
            long took = System.nanoTime() - start;
            return fired && took >= 200_000_000 && took < LIMIT.toNanos();
        }

        private static boolean moment() throws Throwable {
            long moment = System.currentTimeMillis() + 200;
            timer(NOTE_ABSTIME, moment);
            step(-1);
            return fires() && System.currentTimeMillis() >= moment;
        }

        private static void timer(int fflags, long time) {
            KeventList list = KeventList.allocate(1);
            EV_SET(list, 0, 1, EVFILT_TIMER, EV_ADD | EV_ONESHOT, fflags, time, null);
            kevent(queue, list, 1, null, 0, null);
        }

        private static boolean fires() {
            return kevent(queue, null, 0, KeventList.allocate(1), 1, LIMIT) == 1;
        }

        private static void step(long seconds) throws Throwable {
            step.invoke(seconds);
        }
    }
}
