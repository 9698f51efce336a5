package dev.knote;

import dev.knote.linux.Errno;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.ServiceLoader;
import java.util.stream.Stream;

/** The filters of a queue, by number: an instance of each that the service loader finds, and those of its options. */
final class Filters {
    private static final int ARRAY_SIZE = 64;
    private static final List<ServiceLoader.Provider<Filter>> BUILT_IN = ServiceLoader
            .load(Filter.class, Filter.class.getClassLoader()).stream().toList();

    private final Filter[] small = new Filter[ARRAY_SIZE];
    private final Map<Integer, Filter> large = new HashMap<>();

    Filters(List<Filter> more) {
        for (ServiceLoader.Provider<Filter> provider : BUILT_IN) {
            put(provider.get());
        }
        for (Filter filter : more) {
            put(filter);
        }
    }

    /** The filter with this number, or null. */
    Filter get(int number) {
        int at = -number;
        return at >= 0 && at < ARRAY_SIZE ? small[at] : large.get(number);
    }

    /** The numbers of those whose idents are file descriptors. */
    int[] ofFds() {
        return Stream.concat(Arrays.stream(small).filter(Objects::nonNull), large.values().stream())
                .filter(Filter::isFd).mapToInt(Filter::number).toArray();
    }

    /** Closes all, whatever one of them throws. */
    void close() {
        RuntimeException broken = null;
        List<Filter> all = new ArrayList<>(large.values());
        all.addAll(Arrays.asList(small));
        for (Filter filter : all) {
            try {
                if (filter != null) {
                    filter.close();
                }
            } catch (RuntimeException e) {
                broken = e;
            }
        }
        if (broken != null) {
            throw broken;
        }
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
