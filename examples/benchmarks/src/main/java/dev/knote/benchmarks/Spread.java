package dev.knote.benchmarks;

import java.util.Arrays;
import java.util.Locale;

/** Median, least and most of some figures. */
public record Spread(double median, double least, double most) {
    public static Spread of(double[] figures) {
        double[] sorted = figures.clone();
        Arrays.sort(sorted);
        int n = sorted.length;
        double median = n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
        return new Spread(median, sorted[0], sorted[n - 1]);
    }

    @Override
    public String toString() {
        return format(median) + " [" + format(least) + ".." + format(most) + "]";
    }

    private static String format(double figure) {
        return String.format(Locale.ROOT, figure >= 100 ? "%.0f" : figure >= 10 ? "%.1f" : "%.2f", figure);
    }
}
