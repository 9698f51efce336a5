/** kqueue for Java: one call that waits for sockets, timers, user events and words of shared memory. */
module dev.knote.core {
    requires org.slf4j;

    exports dev.knote;
    exports dev.knote.linux;

    uses dev.knote.Filter;
}
