/*
 * A SharedMutex in C, by the bytes that its javadoc states. "mutex PATH count N" locks N times, N 0 for ever;
 * "mutex PATH hold" locks once and stays; "mutex PATH zombie" leaves the mutex to a process that has died and that
 * nobody has waited for; "mutex PATH broken N" is "count N" with a lock that is none. What is guarded stands in
 * MutexPeer. Exit status: 0 done, 3 somebody else was in between.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define TID 0x3fffffffull
#define DIED 0x40000000ull
#define WAITERS 0x80000000ull
#define LOST (DIED | TID)
#define RESERVED (1ull << 63)
#define LOOK_NANOS 50000000ll
#define MOST_WORTH 50000

struct mutex {
    uint64_t word;
    uint32_t cpu, awake, worth, passed;
    uint64_t handed;
    uint32_t namespace;
};

static uint64_t self;

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static uint64_t get(struct mutex *m) { return __atomic_load_n(&m->word, __ATOMIC_SEQ_CST); }

static void set(struct mutex *m, uint64_t value) { __atomic_store_n(&m->word, value, __ATOMIC_SEQ_CST); }

static int swap(struct mutex *m, uint64_t seen, uint64_t next) {
    return __atomic_compare_exchange_n(&m->word, &seen, next, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static uint32_t load(uint32_t *hint) { return __atomic_load_n(hint, __ATOMIC_SEQ_CST); }

static void store(uint32_t *hint, uint32_t value) { __atomic_store_n(hint, value, __ATOMIC_SEQ_CST); }

static long wake(struct mutex *m, int count) {
    return syscall(SYS_futex, &m->word, FUTEX_WAKE, count, NULL, NULL, 0);
}

/* The state and the stamp of a thread; 0 if there is none. */
static int stat_of(const char *thread, char *state, uint32_t *stamp) {
    char path[64], line[1024];
    snprintf(path, sizeof path, "/proc/%s/stat", thread);
    int fd = open(path, O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, line, sizeof line - 1);
    close(fd);
    if (n <= 0)
        return 0;
    line[n] = 0;
    unsigned long long starttime;
    if (sscanf(strrchr(line, ')') + 2,
               "%c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu", state, &starttime) != 2)
        return 0;
    *stamp = starttime & 0x7fffffff;
    return 1;
}

static void know_self(void) {
    char state;
    uint32_t stamp = 0;
    stat_of("thread-self", &state, &stamp);
    self = (uint64_t)stamp << 32 | syscall(SYS_gettid);
}

static int is_dead(uint64_t owner) {
    char name[16], state;
    uint32_t stamp, born = owner >> 32;
    if (syscall(SYS_tkill, (int)(owner & TID), 0) != 0)
        return 1;
    snprintf(name, sizeof name, "%d", (int)(owner & TID));
    return stat_of(name, &state, &stamp) && (strchr("ZXx", state) || (born && stamp && born != stamp));
}

static int is_held(uint64_t seen) { return (seen & TID) && (seen & LOST) != LOST; }

static int is_reserved(uint64_t seen) { return (seen & (RESERVED | TID | DIED)) == RESERVED; }

enum { BUSY, LOCKED, OWNER_DIED };

/* Says who has it and where he runs, if something else was said. */
static void publish(struct mutex *m) {
    uint32_t cpu = sched_getcpu() + 1, says = (uint32_t)self << 12 | (cpu <= 0xfff ? cpu : 0);
    if (load(&m->cpu) != says)
        store(&m->cpu, says);
}

/* Whether the owner has said that he runs on this processor. */
static int is_beside(struct mutex *m) {
    uint32_t said = load(&m->cpu), owner = get(m) & TID;
    return said >> 12 == (owner & 0xfffff) && (said & 0xfff) == (uint32_t)sched_getcpu() + 1;
}

static int take(struct mutex *m, int woken) {
    for (;;) {
        uint64_t seen = get(m);
        if (is_held(seen) || (is_reserved(seen) && !woken))
            return BUSY;
        if ((seen & LOST) == LOST) {
            fprintf(stderr, "lost\n");
            exit(4);
        }
        if (swap(m, seen, self | (seen & (WAITERS | DIED)) | (woken ? WAITERS : 0))) {
            publish(m);
            return seen & DIED ? OWNER_DIED : LOCKED;
        }
    }
}

static int stay_awake(struct mutex *m, int woken) {
    uint32_t me = self & TID, awake = load(&m->awake);
    if (is_beside(m) || (awake != 0 && awake != (get(m) & TID))
            || !__atomic_compare_exchange_n(&m->awake, &awake, me, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        return BUSY;
    uint32_t worth = load(&m->worth);
    int64_t end = now() + (worth && worth < MOST_WORTH ? worth : MOST_WORTH);
    int outcome = BUSY;
    while ((outcome = take(m, woken)) == BUSY && now() < end && !is_beside(m))
        __builtin_ia32_pause();
    __atomic_compare_exchange_n(&m->awake, &me, 0, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    return outcome;
}

static int sleep_for(struct mutex *m, int woken) {
    uint64_t seen;
    do {
        seen = get(m);
        if (!is_held(seen) && (woken || !is_reserved(seen)))
            return take(m, woken);
    } while (!(seen & WAITERS) && !swap(m, seen, seen | WAITERS));
    seen |= WAITERS;
    uint32_t awake = load(&m->awake);
    struct timespec look = {0, LOOK_NANOS};
    int64_t begin = now();
    syscall(SYS_futex, &m->word, FUTEX_WAIT, (uint32_t)seen, &look, NULL, 0);
    int outcome = take(m, 1);
    if (outcome != BUSY || now() - begin < LOOK_NANOS)
        return outcome;
    if (awake)
        __atomic_compare_exchange_n(&m->awake, &awake, 0, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    if (!is_held(seen) || !is_dead(seen & ~(WAITERS | DIED)) || !swap(m, seen, self | DIED | WAITERS))
        return take(m, 1);
    publish(m);
    return OWNER_DIED;
}

static int lock(struct mutex *m) {
    int woken = 0, outcome = take(m, 0);
    while (outcome == BUSY && (outcome = stay_awake(m, woken)) == BUSY) {
        outcome = sleep_for(m, woken);
        woken = 1;
    }
    return outcome;
}

static void consistent(struct mutex *m) {
    uint64_t seen;
    do
        seen = get(m);
    while (!swap(m, seen, seen & ~DIED));
}

static void unlock(struct mutex *m) {
    if (swap(m, self, 0))
        return;
    if (load(&m->awake) == 0) {
        set(m, 0);
        wake(m, 1);
    } else if (++m->passed % 64 == 0 && now() - (int64_t)m->handed > 4000000) {
        m->handed = now();
        set(m, RESERVED | WAITERS);
        if (wake(m, 1) == 0)
            swap(m, RESERVED | WAITERS, 0);
    } else {
        set(m, WAITERS);
        if (load(&m->awake) == 0 && swap(m, WAITERS, 0))
            wake(m, 1);
    }
}

/* A lock that is none: it looks first and writes then. */
static void lock_badly(struct mutex *m) {
    while (get(m) != 0)
        sched_yield();
    sched_yield();
    set(m, self);
}

static void count(char *memory, uint64_t n, int broken) {
    struct mutex *m = (struct mutex *)memory;
    volatile uint64_t *first = (uint64_t *)(memory + 128), *second = (uint64_t *)(memory + 192);
    for (uint64_t i = 0; (n == 0 || i < n) && load((uint32_t *)(memory + 320)) == 0; i++) {
        int outcome = LOCKED;
        if (broken)
            lock_badly(m);
        else
            outcome = lock(m);
        if (outcome == OWNER_DIED) {
            *second = *first;
            __atomic_fetch_add((uint64_t *)(memory + 384), 1, __ATOMIC_SEQ_CST);
            consistent(m);
        }
        uint64_t value = *first;
        if (value != *second)
            exit(3);
        *first = value + 1;
        if (broken)
            sched_yield();
        for (volatile int work = 0; work < 300; work++)
            ;
        if (*second != value)
            exit(3);
        *second = value + 1;
        unlock(m);
        __atomic_fetch_add((uint64_t *)(memory + 256), 1, __ATOMIC_SEQ_CST);
        if (i == 10)
            __atomic_fetch_add((uint64_t *)(memory + 448), 1, __ATOMIC_SEQ_CST);
    }
}

int main(int argc, char **argv) {
    int fd = open(argv[1], O_RDWR);
    char *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (argc < 3 || memory == MAP_FAILED)
        return 2;
    know_self();
    if (argc > 3) {
        count(memory, strtoull(argv[3], NULL, 10), !strcmp(argv[2], "broken"));
        return 0;
    }
    if (strcmp(argv[2], "zombie") != 0 || fork() == 0) {
        know_self();
        lock((struct mutex *)memory);
        __atomic_fetch_add((uint64_t *)(memory + 256), 1, __ATOMIC_SEQ_CST);
        if (!strcmp(argv[2], "zombie"))
            raise(SIGKILL);
    }
    for (;;)
        pause();
}
