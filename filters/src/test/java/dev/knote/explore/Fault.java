package dev.knote.explore;

/**
 * A fault planted into a class as it is loaded: in method {@code method} of {@code type}, without package of
 * {@code dev.knote}.
 *
 * @param what what it is about, for messages
 * @param callee the simple name of the method whose call is concerned, or null
 * @param from the constant that is another one
 * @param to the constant, or the answer
 * @param nth which of several such places, from 1 on; 0: all
 */
public record Fault(String what, String type, String method, Kind kind, String callee, long from, long to,
        int nth) {
    enum Kind {
        /** The call is not made; its answer is {@code to}. */
        ANSWER,
        /** The number {@code from} is {@code to}. */
        NUMBER,
        /** A store that others see at once is one that may be delayed: {@code setVolatile}, {@code Words.set}. */
        WEAKEN
    }

    /** The call of {@code callee} is left out; its answer is 0, false or null. */
    public static Fault without(String type, String method, String callee) {
        return answer(type, method, callee, 0);
    }

    /** The call of {@code callee} is left out, and has that answer. */
    public static Fault answer(String type, String method, String callee, long answer) {
        return new Fault(type + "." + method + ": " + callee + " is always " + answer, type, method,
                Kind.ANSWER,
                callee, 0, answer, 0);
    }

    /** The constant {@code from} is {@code to}. */
    public static Fault number(String type, String method, long from, long to) {
        return new Fault(type + "." + method + ": " + to + " for " + from, type, method, Kind.NUMBER, null,
                from,
                to, 0);
    }

    /** The stores are no longer followed by a barrier. */
    public static Fault weaken(String type, String method, String callee) {
        return new Fault(type + "." + method + ": " + callee + " without a barrier", type, method,
                Kind.WEAKEN,
                callee, 0, 0, 0);
    }

    /** The same at one place of several, from 1 on. */
    public Fault at(int place) {
        return new Fault(what + ", place " + place, type, method, kind, callee, from, to, place);
    }

    @Override
    public String toString() {
        return what;
    }
}
