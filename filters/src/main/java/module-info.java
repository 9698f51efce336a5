/** The kinds of event that Knote has: readiness of fds, timers, events of the program, words of memory. */
module dev.knote.filters {
    requires transitive dev.knote.core;

    exports dev.knote.filters;
    exports dev.knote.sync;

    provides dev.knote.Filter with
            dev.knote.filters.ReadFilter,
            dev.knote.filters.WriteFilter,
            dev.knote.filters.TimerFilter,
            dev.knote.filters.UserFilter,
            dev.knote.filters.UserMemFilter;
}
