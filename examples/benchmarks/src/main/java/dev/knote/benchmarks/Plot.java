package dev.knote.benchmarks;

import java.awt.Color;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.BitmapEncoder.BitmapFormat;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.CategorySeries.CategorySeriesRenderStyle;
import org.knowm.xchart.style.Styler.LegendLayout;
import org.knowm.xchart.style.Styler.LegendPosition;

/**
 * A picture of what was measured: a bar for each median, points for the least and the most. It goes into the directory
 * that {@code -Dbench.plots} names; without it there is none.
 */
public final class Plot {
    private static final int WIDTH = 900;
    private static final int HEIGHT = 420;
    private static final int SLANT = 25;
    private static final int FEW = 6;
    private static final int STEEP = 75;
    private static final int MORE_HEIGHT = 120;
    private static final int POINT = 6;
    private static final Color[] COLORS = {new Color(0x7AA6C2), new Color(0x1B5E20), new Color(0xB71C1C)};

    private final String file;
    private final String title;
    private final String unit;
    private final List<String> names = new ArrayList<>();
    private final List<Double> medians = new ArrayList<>();
    private final List<Double> leasts = new ArrayList<>();
    private final List<Double> mosts = new ArrayList<>();

    /**
     * @param file the picture's name, without an ending
     * @param unit of the figures, as it is to stand at the axis
     */
    public Plot(String file, String title, String unit) {
        this.file = file;
        this.title = title;
        this.unit = unit;
    }

    public Plot bar(String name, double median, double least, double most) {
        names.add(name);
        medians.add(median);
        leasts.add(least);
        mosts.add(most);
        return this;
    }

    public Plot bar(String name, Spread spread) {
        return bar(name, spread.median(), spread.least(), spread.most());
    }

    /** Writes FILE.png; what fails (there may be no fonts) is said, and fails nothing. */
    public void write() {
        String directory = System.getProperty("bench.plots", "");
        if (directory.isEmpty() || names.isEmpty()) {
            return;
        }
        System.setProperty("java.awt.headless", "true");
        try {
            Path path = Files.createDirectories(Path.of(directory)).resolve(file + ".png");
            BitmapEncoder.saveBitmap(chart(), path.toString(), BitmapFormat.PNG);
            System.out.println("\n(plot: " + path + ")");
        } catch (IOException | RuntimeException | LinkageError e) {
            System.out.println("\n(no plot " + file + ": " + e + ")");
        }
    }

    private CategoryChart chart() {
        boolean isCrowded = names.size() > FEW;
        CategoryChart chart = new CategoryChartBuilder().width(WIDTH)
                .height(isCrowded ? HEIGHT + MORE_HEIGHT : HEIGHT).title(title).yAxisTitle(unit).build();
        chart.getStyler().setXAxisLabelRotation(isCrowded ? STEEP : SLANT)
                .setLegendPosition(LegendPosition.OutsideS);
        chart.getStyler().setOverlapped(true).setMarkerSize(POINT);
        chart.getStyler().setSeriesColors(COLORS).setLegendLayout(LegendLayout.Horizontal);
        chart.getStyler().setChartBackgroundColor(Color.WHITE);
        chart.addSeries("median", names, medians)
                .setChartCategorySeriesRenderStyle(CategorySeriesRenderStyle.Bar);
        points(chart, "least", leasts);
        points(chart, "most", mosts);
        return chart;
    }

    private void points(CategoryChart chart, String name, List<Double> figures) {
        chart.addSeries(name, names, figures)
                .setChartCategorySeriesRenderStyle(CategorySeriesRenderStyle.Scatter);
    }
}
