/*
 * Takes part in the protocols of JobTokens and Latch, as their javadoc states them.
 *
 *   sync tokens PATH ROUNDS MICROS   takes a token, holds it at most MICROS (from a second on, exactly), gives it
 *                                    back or goes on with it; ROUNDS times, 0 for ever
 *   sync set PATH OFFSET COUNT       COUNT times: adds to the number at OFFSET + 64, sets the latch at OFFSET
 *   sync own PATH OFFSET COUNT       owns the latch, and waits until the number is COUNT
 */
#define _GNU_SOURCE
#include <fcntl.h>
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

struct region {
    _Atomic uint32_t size, sequence, waiters, lost;
    _Atomic uint64_t looked;
    _Atomic uint32_t woken, turn;
    char rest[32];
    _Atomic uint64_t token[];
};

static struct region *r;
static uint64_t me;
static int left = -1;

static long futex(_Atomic uint32_t *word, int op, uint32_t value, struct timespec *timeout) {
    return syscall(SYS_futex, word, op, value, timeout, 0, 0);
}

static uint64_t self(void) {
    char line[1024] = "";
    FILE *stat = fopen("/proc/self/stat", "r");
    if (!stat || !fgets(line, sizeof line, stat)) exit(2);
    fclose(stat);
    unsigned long long start;
    if (sscanf(strrchr(line, ')') + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d "
            "%llu", &start) != 1) exit(2);
    return (uint64_t)start << 22 | (uint64_t)getpid();
}

static uint32_t micros(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint32_t)(t.tv_sec * 1000000 + t.tv_nsec / 1000) | 1;
}

static int is_fresh(uint32_t then, uint32_t now) { return then != 0 && now - then < 1000; }

static int try_take(void) {
    if (left >= 0 && !is_fresh(r->woken, micros())) left = -1;
    for (uint32_t i = 0; i < r->size; i++) {
        uint64_t nobody = 0;
        if ((int)i != left && r->token[i] == 0 && atomic_compare_exchange_strong(&r->token[i], &nobody, me)) return (int)i;
    }
    return -1;
}

/* Whether somebody was woken. */
static int wake(void) {
    uint32_t now = micros();
    if (!(r->waiters & 0xffff) || is_fresh(r->woken, now)) return 0;
    r->woken = now;
    r->sequence++;
    if (futex(&r->sequence, FUTEX_WAKE, 1, 0) > 0) return 1;
    r->woken = 0;
    return 0;
}

static void wake_next(void) {
    for (uint32_t i = 0; (r->waiters & 0xffff) && i < r->size; i++) {
        if (r->token[i] == 0) {
            wake();
            return;
        }
    }
}

static int take(void) {
    int token = try_take(), counted = 0;
    uint32_t epoch = 0;
    while (token < 0) {
        uint32_t seen = r->sequence;
        if (left < 0) r->woken = 0;
        uint32_t now = r->waiters;
        while (!counted || now >> 16 != epoch) {
            if (atomic_compare_exchange_strong(&r->waiters, &now, now + 1)) {
                counted = 1;
                epoch = now >> 16;
            }
        }
        if ((token = try_take()) < 0) {
            struct timespec look = {0, 250000000};
            futex(&r->sequence, FUTEX_WAIT, seen, &look);
            left = -1;
        }
    }
    uint32_t now = r->waiters;
    while (counted && now >> 16 == epoch && (now & 0xffff)
            && !atomic_compare_exchange_strong(&r->waiters, &now, now - 1)) {}
    if (counted) wake_next();
    return token;
}

static void give_back(int token) {
    uint64_t mine = me;
    if (!atomic_compare_exchange_strong(&r->token[token], &mine, 0)) {
        fprintf(stderr, "token %d is not mine but %llx\n", token, (unsigned long long)mine);
        exit(3);
    }
}

static void release(int token) {
    give_back(token);
    wake();
}

static int next(int token) {
    if (!(r->waiters & 0xffff)) return token;
    uint32_t now = micros(), last = r->turn;
    if (is_fresh(last, now) || !atomic_compare_exchange_strong(&r->turn, &last, now)) return token;
    give_back(token);
    if (wake()) left = token;
    return try_take();
}

static void set(_Atomic uint32_t *latch) {
    atomic_thread_fence(memory_order_seq_cst);
    if (!(*latch & 1) && atomic_fetch_or(latch, 1) == 2) futex(latch, FUTEX_WAKE, 0x7fffffff, 0);
}

static void await(_Atomic uint32_t *latch) {
    uint32_t nothing = 0;
    while (atomic_compare_exchange_strong(latch, &nothing, 2)) {
        futex(latch, FUTEX_WAIT, 2, 0);
        atomic_fetch_and(latch, ~2u);
        nothing = 0;
    }
}

int main(int argc, char **argv) {
    struct stat s;
    int fd = argc > 4 ? open(argv[2], O_RDWR) : -1;
    if (fd < 0 || fstat(fd, &s)) return 1;
    char *memory = mmap(0, (size_t)s.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    long offset = atol(argv[3]), count = atol(argv[4]);
    _Atomic uint32_t *latch = (void *)(memory + offset), *number = (void *)(memory + offset + 64);
    if (!strcmp(argv[1], "tokens")) {
        r = (void *)memory;
        me = self();
        unsigned seed = (unsigned)getpid();
        int token = -1;
        for (long i = 0; offset == 0 || i < offset; i++) {
            if (token < 0) token = take();
            if (count >= 1000000) sleep((unsigned)(count / 1000000));
            else if (rand_r(&seed) % 4 == 0) usleep((useconds_t)(rand_r(&seed) % (count + 1)));
            if (i == offset - 1 || rand_r(&seed) % 2 == 0) {
                release(token);
                token = -1;
            } else {
                token = next(token);
            }
        }
    } else if (!strcmp(argv[1], "set")) {
        for (long i = 0; i < count; i++) {
            ++*number;
            set(latch);
        }
    } else {
        for (atomic_fetch_and(latch, ~2u);; await(latch)) {
            atomic_fetch_and(latch, ~1u);
            if (*number == count) break;
        }
    }
    return 0;
}
