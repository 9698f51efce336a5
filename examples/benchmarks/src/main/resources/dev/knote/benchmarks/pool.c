/*
 * The client of a server with a pool of threads: DIR LINES. It is of the scheduler's batch class, so that its waking up does
 * not take the processor from a thread of the pool, which would be a context switch of the client's making. Writes to the FIFOs DIR/0 to DIR/LINES-1, of which the server
 * answers each message, 4 bytes that say the FIFO, by the FIFO DIR/back. Reads from stdin, and answers in nanoseconds:
 *   time N LINES    until N messages are answered, one in flight on each of so many lines
 *   trickle N GAP   one message at a time, GAP ns after the answer to the last
 *   latency         median and 99th percentile of a message's time in the last run
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define MOST 2000000

static int lines, back, fds[1024];
static uint64_t sent[1024];
static uint32_t times[MOST];
static int taken;

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static int open_fifo(const char *directory, const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    int fd = open(path, O_RDWR);
    if (fd < 0) {
        perror(path);
        exit(1);
    }
    return fd;
}

static void post(uint32_t line) {
    sent[line] = now();
    if (write(fds[line], &line, sizeof line) != sizeof line) {
        perror("write");
        exit(1);
    }
}

static void note(uint32_t line) {
    if (taken < MOST) {
        times[taken++] = now() - sent[line];
    }
}

static void load(int n, int most) {
    uint32_t answers[256];
    int begun = 0;
    int done = 0;
    while (begun < most && begun < n) {
        post(begun++);
    }
    while (done < n) {
        ssize_t got = read(back, answers, sizeof answers) / (ssize_t) sizeof answers[0];
        for (ssize_t i = 0; i < got; i++, done++) {
            note(answers[i]);
            if (begun < n) {
                begun++;
                post(answers[i]);
            }
        }
    }
}

static void trickle(int n, long gap) {
    for (int i = 0; i < n; i++) {
        struct timespec t = {gap / 1000000000, gap % 1000000000};
        uint32_t answer;
        nanosleep(&t, NULL);
        post(i % lines);
        if (read(back, &answer, sizeof answer) != sizeof answer) {
            exit(1);
        }
        note(answer);
    }
}

static int by_time(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *) a;
    uint32_t y = *(const uint32_t *) b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    char line[256];
    struct sched_param none = {0};
    prctl(PR_SET_TIMERSLACK, 1);
    sched_setscheduler(0, SCHED_BATCH, &none);
    if (argc != 3) {
        return 1;
    }
    lines = atoi(argv[2]);
    for (int i = 0; i < lines; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        fds[i] = open_fifo(argv[1], name);
    }
    back = open_fifo(argv[1], "back");
    printf("ready\n");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        int n = 0;
        long gap = 0;
        uint64_t from = now();
        if (sscanf(line, "trickle %d %ld", &n, &gap) == 2) {
            taken = 0;
            trickle(n, gap);
        } else if (sscanf(line, "time %d %ld", &n, &gap) == 2) {
            taken = 0;
            load(n, gap < lines ? (int) gap : lines);
        } else {
            qsort(times, taken, sizeof times[0], by_time);
            printf("%u %u\n", times[taken / 2], times[taken * 99 / 100]);
            fflush(stdout);
            continue;
        }
        printf("%llu\n", (unsigned long long) (now() - from));
        fflush(stdout);
    }
    return 0;
}
