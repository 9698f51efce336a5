package dev.knote.examples;

/** Placeholder of the demo. */
final class Demo {
    private Demo() {}

    static void main() {
        System.out.println("Knote demo on Java " + Runtime.version().feature());
    }
}
