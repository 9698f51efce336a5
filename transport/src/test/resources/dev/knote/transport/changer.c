/*
 * Changes words of a file that others have mapped, and wakes their waiters with futex(2). Words have a line of 64 bytes
 * each. Ends with status 0, or says what was not answered within 20 s.
 *
 *   changer PATH exchange BITS TOTAL BURST   word 1 becomes 1, 2, ... TOTAL, with a wake each; after every 1 to BURST
 *                                            changes word 2 must become the same
 *   changer PATH sweep WORDS VALUE           words 1 to WORDS, of 32 bits, become VALUE, with a wake each
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static char *base;

static int64_t load(int word, int bits) {
    char *at = base + 64 * word;
    return bits == 32 ? atomic_load((_Atomic int32_t *) at) : atomic_load((_Atomic int64_t *) at);
}

static void change(int word, int bits, int64_t value) {
    char *at = base + 64 * word;
    if (bits == 32) {
        atomic_store((_Atomic int32_t *) at, (int32_t) value);
    } else {
        atomic_store((_Atomic int64_t *) at, value);
    }
    if (syscall(SYS_futex, at, FUTEX_WAKE, INT_MAX, NULL, NULL, 0) < 0) {
        perror("FUTEX_WAKE");
        exit(1);
    }
}

static void await(int word, int bits, int64_t value) {
    struct timespec limit = {20, 0};
    int64_t now;
    while ((now = load(word, bits)) != value) {
        if (syscall(SYS_futex, base + 64 * word, FUTEX_WAIT, (uint32_t) now, &limit, NULL, 0) < 0
                && errno == ETIMEDOUT) {
            printf("no answer to %lld: it is %lld\n", (long long) value, (long long) now);
            exit(1);
        }
    }
}

static void exchange(int bits, int64_t total, int64_t burst) {
    uint32_t random = 1;
    for (int64_t value = 0; value < total;) {
        random = random * 1664525u + 1013904223u;
        int64_t end = value + 1 + (random >> 8) % burst;
        while (value < end && value < total) {
            change(1, bits, ++value);
        }
        await(2, bits, value);
    }
}

int main(int count, char **arguments) {
    struct stat status;
    int file = count < 5 ? -1 : open(arguments[1], O_RDWR);
    if (file < 0 || fstat(file, &status) < 0) {
        perror("open");
        return 1;
    }
    base = mmap(NULL, status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (base == MAP_FAILED) {
        perror("mmap");
        return 1;
    }
    if (strcmp(arguments[2], "exchange") == 0) {
        exchange(atoi(arguments[3]), atoll(arguments[4]), atoll(arguments[5]));
    } else {
        for (int word = 1; word <= atoi(arguments[3]); word++) {
            change(word, 32, atoll(arguments[4]));
        }
    }
    return 0;
}
