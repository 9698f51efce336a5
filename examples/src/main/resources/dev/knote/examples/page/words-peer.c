/* The page's other process: changes words of shared memory and answers a question, by futex(2) alone. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { TICKS, WALK, BITS, BUSY, ANSWER = BUSY, QUESTION };

struct line {
    _Alignas(64) _Atomic uint32_t word;
    _Atomic uint32_t changes;
    _Atomic int64_t stamp;
};

static const int64_t every[BUSY] = {50000000, 110000000, 270000000};

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static void change(struct line *line, uint32_t value) {
    line->stamp = now();
    line->changes++;
    line->word = value;
    syscall(SYS_futex, &line->word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static uint32_t next(int word, uint32_t value) {
    switch (word) {
    case WALK: {
        int step = rand() % 21 - 10;
        return step < 0 && value < (uint32_t) -step ? 0 : value + step;
    }
    case BITS:
        return value == 0 ? 1 : value << 1 | value >> 31;
    default:
        return value + 1;
    }
}

/* Sleeps until the question is another one, or until a time. */
static void await(struct line *question, uint32_t seen, int64_t end) {
    int64_t left = end - now();
    if (left > 0) {
        struct timespec limit = {left / 1000000000, left % 1000000000};
        syscall(SYS_futex, &question->word, FUTEX_WAIT, seen, &limit, NULL, 0);
    }
}

/* Argument: the memory's path. Ends when the process is gone that started it. */
int main(int argc, char **argv) {
    int fd = argc == 2 ? open(argv[1], O_RDWR) : -1;
    if (fd < 0) {
        perror("words-peer");
        return 1;
    }
    struct line *lines = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (lines == MAP_FAILED) {
        perror("words-peer: mmap");
        return 1;
    }
    int64_t due[BUSY] = {0};
    srand(getpid());
    for (pid_t parent = getppid(); getppid() == parent;) {
        uint32_t question = lines[QUESTION].word;
        if (lines[ANSWER].word != question * question) {
            change(&lines[ANSWER], question * question);
        }
        int64_t end = INT64_MAX;
        for (int word = 0; word < BUSY; word++) {
            if (now() >= due[word]) {
                change(&lines[word], next(word, lines[word].word));
                due[word] = now() + every[word];
            }
            end = due[word] < end ? due[word] : end;
        }
        await(&lines[QUESTION], question, end);
    }
    return 0;
}
