/*
 * Threads that lock, work, unlock, work. Answers "run KIND THREADS INSIDE OUTSIDE MILLIS", KIND plain or robust, with
 * "SECTIONS NANOS MOST LEAST CPUNANOS".
 */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MOST_THREADS 64

static struct shared {
    _Alignas(64) uint32_t word;
    _Alignas(64) pthread_mutex_t robust;
    _Alignas(64) uint64_t counter, value;
} *shared;

static struct { _Alignas(64) uint64_t sections; pthread_t thread; } crew[MOST_THREADS];
static volatile int stop;
static int robust, inside, outside;
static volatile uint64_t sink;

static int64_t now(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void check(int ok, const char *what) {
    if (!ok) {
        perror(what);
        exit(1);
    }
}

static uint64_t work(uint64_t value, int n) {
    while (n-- > 0) {
        value ^= value << 13;
        value ^= value >> 7;
        value ^= value << 17;
    }
    return value;
}

/* "Futexes are tricky", the third mutex: 0 free, 1 held, 2 held and perhaps somebody sleeps */
static void plain_lock(uint32_t *word) {
    uint32_t seen = 0;
    if (__atomic_compare_exchange_n(word, &seen, 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        return;
    if (seen != 2)
        seen = __atomic_exchange_n(word, 2, __ATOMIC_SEQ_CST);
    while (seen != 0) {
        syscall(SYS_futex, word, FUTEX_WAIT, 2, NULL, NULL, 0);
        seen = __atomic_exchange_n(word, 2, __ATOMIC_SEQ_CST);
    }
}

static void plain_unlock(uint32_t *word) {
    if (__atomic_fetch_sub(word, 1, __ATOMIC_SEQ_CST) != 1) {
        __atomic_store_n(word, 0, __ATOMIC_SEQ_CST);
        syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
    }
}

static void *run(void *sections) {
    uint64_t count = 0, own = 1;
    for (; !stop; count++) {
        if (robust)
            check(pthread_mutex_lock(&shared->robust) == 0, "pthread_mutex_lock");
        else
            plain_lock(&shared->word);
        shared->counter++;
        shared->value = work(shared->value, inside);
        if (robust)
            pthread_mutex_unlock(&shared->robust);
        else
            plain_unlock(&shared->word);
        own = work(own, outside);
    }
    sink = own;
    *(uint64_t *)sections = count;
    return NULL;
}

static void measure(int threads, int millis) {
    struct timespec pause = {millis / 1000, millis % 1000 * 1000000L};
    uint64_t sum = 0, most = 0, least = UINT64_MAX;
    stop = 0;
    shared->counter = 0;
    int64_t from = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
    for (int i = 0; i < threads; i++)
        check(pthread_create(&crew[i].thread, NULL, run, &crew[i].sections) == 0, "pthread_create");
    nanosleep(&pause, NULL);
    stop = 1;
    for (int i = 0; i < threads; i++) {
        pthread_join(crew[i].thread, NULL);
        uint64_t count = crew[i].sections;
        sum += count;
        most = count > most ? count : most;
        least = count < least ? count : least;
    }
    int64_t nanos = now(CLOCK_MONOTONIC) - from;
    check(sum == shared->counter, "mutual exclusion");
    printf("%lu %ld %lu %lu %ld\n", sum, nanos, most, least, now(CLOCK_PROCESS_CPUTIME_ID) - cpu);
    fflush(stdout);
}

int main(void) {
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    check(shared != MAP_FAILED, "mmap");
    shared->value = 1;
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    check(pthread_mutex_init(&shared->robust, &attributes) == 0, "pthread_mutex_init");
    printf("ready\n");
    fflush(stdout);
    char kind[16];
    int threads, millis;
    while (scanf(" run %15s %d %d %d %d", kind, &threads, &inside, &outside, &millis) == 5) {
        robust = !strcmp(kind, "robust");
        measure(threads, millis);
    }
    return 0;
}
