package dev.knote.benchmarks;

import java.util.Locale;

/** A Markdown table, printed as it grows. */
public final class Table {
    private Table() {}

    static void begin(String title, String peer) {
        System.out.println("\n### " + title + "\n");
        System.out.println("| what | Knote | " + peer + " | ratio: median [least..most] | aim |");
        System.out.println("|---|---|---|---|---|");
    }

    static void row(String what, String knote, String peer, String ratio, String aim) {
        System.out.println("| " + String.join(" | ", what, knote, peer, ratio, aim) + " |");
        System.out.flush();
    }

    public static String nanos(double nanos) {
        return nanos >= 10_000
                ? String.format(Locale.ROOT, "%.1f us", nanos / 1000)
                : String.format(Locale.ROOT, nanos >= 100 ? "%.0f ns" : "%.1f ns", nanos);
    }

    static String nanos(Race.Subject subject) {
        return nanos(subject.time().median());
    }
}
