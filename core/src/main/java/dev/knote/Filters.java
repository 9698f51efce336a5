package dev.knote;

import dev.knote.linux.Errno;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.stream.Stream;

/** The filters of a queue, by number: an instance of each that the service loader finds, and those of its options. */
final class Filters {
    private static final int ARRAY_SIZE = 64;
    private static final List<ServiceLoader.Provider<Filter>> BUILT_IN = ServiceLoader
            .load(Filter.class, Filter.class.getClassLoader()).stream().toList();

    private final Filter[] small = new Filter[ARRAY_SIZE];
    private final Map<Integer, Filter> large = new HashMap<>();
    private final int[] ofFds;

    /** If it fails, all are closed that were made or given. */
    Filters(List<Filter> more) {
        Set<Filter> mine = Collections.newSetFromMap(new IdentityHashMap<>());
        mine.addAll(more);
        try {
            for (ServiceLoader.Provider<Filter> provider : BUILT_IN) {
                Filter filter = provider.get();
                mine.add(filter);
                put(filter);
            }
            for (Filter filter : more) {
                put(filter);
            }
            ofFds = all().stream().filter(Filter::isFd).mapToInt(Filter::number).toArray();
        } catch (RuntimeException | Error e) {
            closeBecause(e, mine);
            throw e;
        }
    }

    /** The filter with this number, or null. */
    Filter get(int number) {
        int at = -number;
        return at >= 0 && at < ARRAY_SIZE ? small[at] : large.get(number);
    }

    /** The numbers of those whose idents are file descriptors. */
    int[] ofFds() {
        return ofFds;
    }

    /** Closes all, whatever one of them throws: the first of that is thrown then, with the others. */
    void close() {
        RuntimeException broken = null;
        for (Filter filter : all()) {
            try {
                filter.close();
            } catch (RuntimeException e) {
                if (broken == null) {
                    broken = e;
                } else if (broken != e) {
                    broken.addSuppressed(e);
                }
            }
        }
        if (broken != null) {
            throw broken;
        }
    }

    /** Closes all, as the queue they belong to is not to be: {@code why} tells what they throw besides. */
    void closeBecause(Throwable why) {
        closeBecause(why, all());
    }

    private static void closeBecause(Throwable why, Collection<Filter> all) {
        for (Filter filter : all) {
            try {
                filter.close();
            } catch (RuntimeException e) {
                if (e != why) {
                    why.addSuppressed(e);
                }
            }
        }
    }

    private List<Filter> all() {
        return Stream.concat(Arrays.stream(small).filter(Objects::nonNull), large.values().stream()).toList();
    }

    private void put(Filter filter) {
        int number = filter.number();
        if (number >= 0 || number < Short.MIN_VALUE) {
            throw new KeventException(
                    Errno.EINVAL,
                    "filter " + filter.name() + ": its number is " + number + ": expected -1 to -32768");
        }
        if (get(number) != null) {
            throw new KeventException(
                    Errno.EINVAL,
                    "filter " + filter.name() + ": number " + number + " is " + get(number).name());
        }
        if (-number < ARRAY_SIZE) {
            small[-number] = filter;
        } else {
            large.put(number, filter);
        }
    }
}
