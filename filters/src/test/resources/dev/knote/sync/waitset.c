/* Events and semaphores by their bytes alone.
 * set PATH OFFSET COUNT      sets the event that resets itself, COUNT times, each time when it has been taken
 * manual PATH OFFSET         sets the manual event
 * release PATH OFFSET COUNT  adds COUNT units, one by one
 * take PATH OFFSET COUNTER   takes whatever there is for ever, and counts it at COUNTER */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SLEEPERS 0x80000000u
#define COUNT 0x3fffffffu

static int futex(uint32_t *word, int op, uint32_t value, struct timespec *timeout) {
    return syscall(SYS_futex, word, op, value, timeout, NULL, 0);
}

static void wake(uint32_t *word, uint32_t old, int manual) {
    if (old >> 30 == 0)
        return;
    uint32_t most = manual ? INT_MAX : (old >> 31) + (old >> 30 & 1);
    if (futex(word, FUTEX_WAKE, most, NULL) == 0 && old >> 31) {
        __atomic_fetch_and(word, ~SLEEPERS, __ATOMIC_SEQ_CST);
        futex(word, FUTEX_WAKE, INT_MAX, NULL);
    }
}

static void set(uint32_t *word, int manual) {
    uint32_t old = __atomic_fetch_or(word, 1, __ATOMIC_SEQ_CST);
    if (!(old & 1))
        wake(word, old, manual);
}

static void take(uint32_t *word) {
    struct timespec quarter = {.tv_nsec = 250000000};
    for (;;) {
        uint32_t old = __atomic_load_n(word, __ATOMIC_SEQ_CST);
        if (old & COUNT) {
            if (__atomic_compare_exchange_n(word, &old, old - 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
                return;
        } else if (old & SLEEPERS
                || __atomic_compare_exchange_n(word, &old, old | SLEEPERS, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
            futex(word, FUTEX_WAIT, old | SLEEPERS, &quarter);
        }
    }
}

int main(int argc, char **argv) {
    struct stat file;
    int fd = argc > 3 ? open(argv[2], O_RDWR) : -1;
    if (fd < 0 || fstat(fd, &file) < 0)
        return 2;
    char *base = mmap(NULL, file.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (base == MAP_FAILED)
        return 3;
    uint32_t *word = (uint32_t *)(base + atol(argv[3]));
    long number = argc > 4 ? atol(argv[4]) : 0;
    if (!strcmp(argv[1], "manual"))
        set(word, 1);
    for (; !strcmp(argv[1], "set") && number > 0; number--) {
        set(word, 0);
        while (__atomic_load_n(word, __ATOMIC_SEQ_CST) & 1)
            sched_yield();
    }
    for (; !strcmp(argv[1], "release") && number > 0; number--)
        wake(word, __atomic_fetch_add(word, 1, __ATOMIC_SEQ_CST), 0);
    while (!strcmp(argv[1], "take")) {
        take(word);
        __atomic_fetch_add((uint32_t *)(base + number), 1, __ATOMIC_SEQ_CST);
    }
    return 0;
}
