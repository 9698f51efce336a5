package dev.knote.benchmarks;

import java.io.IOException;

/** The operations by name. */
final class Operations {
    private Operations() {}

    static Operation make(String name, String argument) throws IOException {
        return switch (name) {
            case "ping" -> new RoundTrip(true, argument);
            case "pong" -> new RoundTrip(false, argument).pong();
            case "fifo-ping" -> ByteRoundTrip.ping(ByteRoundTrip.fifos(true, argument));
            case "fifo-pong" -> ByteRoundTrip.pong(() -> ByteRoundTrip.fifos(false, argument), "");
            case "unix-ping" -> ByteRoundTrip.ping(ByteRoundTrip.unixPing(argument));
            case "unix-pong" -> ByteRoundTrip.unixPong(argument);
            case "eventfd-ping" -> ByteRoundTrip.ping(ByteRoundTrip.eventFdPing(argument));
            case "eventfd-pong" -> ByteRoundTrip.eventFdPong();
            case "user" -> new UserOperation(argument);
            case "register" -> FdOperations.register(argument);
            case "register-raw" -> FdOperations.registerRaw(argument);
            case "idle" -> FdOperations.idle(argument);
            case "writable" -> FdOperations.writable(argument);
            case "timer-add" -> TimerOperations.add(Integer.parseInt(argument));
            case "timer-periodic" -> TimerOperations.periodic();
            case "timer-million" -> TimerOperations.million();
            case "timer-lateness" -> TimerOperations.lateness();
            case "words" -> new WordOperations(argument);
            case "threads" -> new ThreadOperations(argument);
            case "waitany" -> new WaitAnyOperation(argument);
            case "latch" -> new LatchOperation(argument, false);
            case "latch-set" -> new LatchOperation(argument, true);
            case "latch-pong" -> new LatchOperation(argument, false).pong();
            case "post" -> new PostOperation();
            default -> throw new IllegalArgumentException("no such operation: " + name);
        };
    }
}
