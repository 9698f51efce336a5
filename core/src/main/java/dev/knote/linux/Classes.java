package dev.knote.linux;

/**
 * Classes that may be needed for the first time where no descriptor is left to read their files by, as part of a call
 * that needs none itself. What fails for this reason goes on failing when there are descriptors again.
 */
public final class Classes {
    private Classes() {}

    /** Loads them, as naming them does, and what is nested in them. None of their code runs. */
    public static void load(Class<?>... classes) {
        for (Class<?> each : classes) {
            Class<?>[] ignored = each.getDeclaredClasses();
        }
    }
}
