package dev.knote.examples.page;

import java.util.Arrays;
import java.util.stream.Collectors;

/** What pages are sent, in JSON; times in nanoseconds of {@link System#nanoTime}. */
final class PageMessages {
    private PageMessages() {}

    static String hello(String about) {
        String words = Arrays.stream(Word.ALL)
                .map(word -> "{\"name\":\"" + word.title + "\",\"about\":" + quoted(word.about) + "}")
                .collect(Collectors.joining(","));
        return "{\"about\":" + quoted(about) + ",\"words\":[" + words + "]}";
    }

    /** The value that a word has. */
    static String present(Words words, Word word) {
        return changed(words, word, words.value(word), 0);
    }

    /** The value that a word got, and when a handler saw it. */
    static String changed(Words words, Word word, int value, long seen) {
        return "{\"word\":" + word.ordinal() + ",\"value\":" + value + ",\"changes\":" + words.changes(word)
                + ",\"stamp\":" + words.stamp(word) + ",\"seen\":" + seen + "}";
    }

    /** The server's time, for a page that told its own. */
    static String time(String pageTime, long now) {
        return "{\"time\":" + pageTime + ",\"now\":" + now + "}";
    }

    private static String quoted(String text) {
        return '"' + text.replaceAll("[^ !#-\\[\\]-~]", "'") + '"';
    }
}
