/** Examples of Knote. */
module dev.knote.examples {
    requires dev.knote.core;
    requires dev.knote.filters;
}
