package dev.knote.examples.page;

/** The words of the demo's memory, one a line, in the order of words-peer.c. */
enum Word {
    TICKS("ticks", "one more, 20 times a second"),
    WALK("walk", "a random walk"),
    BITS("bits", "one bit that goes round"),
    ANSWER("answer", "the question squared"),
    QUESTION("question", "written by this page"),
    /** Its id; 0 while there is none; written by the server. */
    PROCESS("process", "the other process's id");

    static final Word[] ALL = values();

    final String title;
    final String about;

    Word(String title, String about) {
        this.title = title;
        this.about = about;
    }
}
