package dev.knote.examples;

import dev.knote.SharedMemory;
import dev.knote.percpu.Cpu;
import dev.knote.percpu.CpuWords;
import dev.knote.percpu.OpsVector;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Two other JVMs sell what there is: stock and takings change as one, whoever is killed; tries are counted per CPU. */
final class SellOut {
    private static final int STOCK = 1000;
    private static final int PRICE = 7;
    /** Where things are: the vectors' region at 0, two words, then the counters. */
    private static final long STOCK_AT = 512;
    private static final long TAKINGS_AT = 520;
    private static final long TRIES_AT = 1024;

    private SellOut() {}

    static void main(String[] arguments) throws IOException, InterruptedException {
        if (arguments.length > 0) {
            sell(Path.of(arguments[0]));
            return;
        }
        try (var memory = SharedMemory.anonymous(TRIES_AT + CpuWords.bytes(Cpu.count()))) {
            OpsVector.on(memory.segment(), 0).set(STOCK_AT, STOCK).run();
            List<Process> sellers = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                sellers.add(
                        new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "--enable-native-access=ALL-UNNAMED", "-cp",
                                System.getProperty("java.class.path"),
                                SellOut.class.getName(), memory.path().toString()).inheritIO().start());
            }
            OpsVector look = OpsVector.on(memory.segment(), 0).get(STOCK_AT).get(TAKINGS_AT);
            for (Process seller : sellers) {
                seller.waitFor();
            }
            look.run();
            System.out.println("left " + look.value(0) + ", takings " + look.value(1));
            System.out.println("tries " + CpuWords.of(memory.segment(), TRIES_AT, Cpu.count()).sum());
        }
    }

    private static void sell(Path path) {
        try (var memory = SharedMemory.map(path)) {
            CpuWords tries = CpuWords.of(memory.segment(), TRIES_AT, Cpu.count());
            OpsVector sale = OpsVector.on(memory.segment(), 0).notEqual(STOCK_AT, 0).add(STOCK_AT, -1)
                    .add(TAKINGS_AT, PRICE);
            int result;
            do {
                tries.add(1);
                result = sale.run();
            } while (result == OpsVector.DONE);
            System.out.println("sold out: comparison " + result + " failed");
        }
    }
}
