/*
 * tokens WAY JOBS TOTAL MICROS [work]: eight processes run TOTAL jobs together, at most JOBS at a time, each
 * about MICROS long: a timer of its process, which has up to 16 of them, or with work one at a time, in which
 * it computes. WAY is pipe, a byte a token, waited for with poll as make does it, or words, the protocol of
 * JobTokens, or next, the same where who has another job to do goes on by JobTokens.next, or none: JOBS, or eight, processes that have their share of the jobs for themselves and wait for
 * timers alone. Says wall, user and system nanoseconds, context switches, returns of a wait for tokens, and how
 * many of them found none.
 *
 * latch WAY [PATH]: two processes that set each other's latch and wait: words, eventfd (and poll) or signal
 * (SIGURG, taken by signalfd and poll); with a PATH the second side of another program's. set WAY: sets of a
 * latch that is set already. Both read "time N", as peers.c does.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PROCESSES = 8, MOST = 16 };

struct region {
    _Atomic uint32_t size, sequence, waiters, lost;
    char rest[8];
    _Atomic uint32_t woken, turn;
    char apart0[32];
    _Atomic uint64_t token[128];
    char apart[64];
    _Atomic uint64_t returns, vain;
    char more[64];
    _Alignas(64) _Atomic uint32_t latch[64];
};

static struct region *r;
static int is_pipe, is_none, goes_on, left = -1, most = MOST, fds[2], other, way;
static uint64_t me;
static uint32_t epoch;
static int counted, hint;

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static long futex(_Atomic uint32_t *word, int op, uint32_t value, struct timespec *timeout) {
    return syscall(SYS_futex, word, op, value, timeout, 0, 0);
}

static uint32_t micros_now(void) { return (uint32_t)(now() / 1000) | 1; }

static int is_fresh(uint32_t then, uint32_t at) { return then != 0 && at - then < 1000; }

static int find(void) {
    if (left >= 0 && !is_fresh(r->woken, micros_now())) left = -1;
    for (uint32_t k = 0; k < r->size; k++) {
        uint32_t i = ((uint32_t)hint + k) % r->size;
        uint64_t nobody = 0;
        if ((int)i != left && r->token[i] == 0 && atomic_compare_exchange_strong(&r->token[i], &nobody, me)) return (int)i;
    }
    return -1;
}

/* Whether somebody was woken. */
static int wake(void) {
    uint32_t t = micros_now();
    if (!(r->waiters & 0xffff) || is_fresh(r->woken, t)) return 0;
    r->woken = t;
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
    char byte;
    if (is_none) return 0;
    return is_pipe ? (read(fds[0], &byte, 1) == 1 ? 0 : -1) : find();
}

static void release(int token) {
    if (is_none) return;
    if (is_pipe) {
        if (write(fds[1], "+", 1) != 1) exit(3);
        return;
    }
    r->token[token] = 0;
    hint = token;
    if (r->waiters & 0xffff) wake();
}

/* The token to go on with, or -1. */
static int next(int token) {
    if (!(r->waiters & 0xffff)) return token;
    uint32_t t = micros_now(), last = r->turn;
    if (is_fresh(last, t) || !atomic_compare_exchange_strong(&r->turn, &last, t)) return token;
    r->token[token] = 0;
    hint = token;
    if (wake()) left = token;
    return find();
}

/* Until there may be a token, or until a moment; a token if it got one on the way. */
static int await(uint64_t until) {
    uint64_t t = now(), rest = until > t ? until - t : 0;
    if (rest > 250000000) rest = 250000000;
    struct timespec timeout = {0, (long)rest};
    int token = -1;
    if (is_pipe) {
        struct pollfd p = {fds[0], POLLIN, 0};
        if (ppoll(&p, 1, &timeout, 0) == 1) {
            r->returns++;
            if ((token = take()) < 0) r->vain++;
        }
        return token;
    }
    uint32_t seen = r->sequence;
    if (left < 0) r->woken = 0;
    uint32_t w = r->waiters;
    while (!counted || w >> 16 != epoch) {
        if (atomic_compare_exchange_strong(&r->waiters, &w, w + 1)) {
            counted = 1;
            epoch = w >> 16;
        }
    }
    if ((token = find()) < 0) {
        int is_woken = futex(&r->sequence, FUTEX_WAIT, seen, &timeout) == 0;
        left = -1;
        if (is_woken) {
            r->returns++;
            r->woken = 0;
            if ((token = find()) < 0) r->vain++;
        }
    }
    w = r->waiters;
    while (w >> 16 == epoch && (w & 0xffff) && !atomic_compare_exchange_strong(&r->waiters, &w, w - 1)) {}
    counted = 0;
    if (token >= 0) wake_next();
    return token;
}

static void work(int index, long jobs, long micros) {
    uint64_t end[MOST];
    int token[MOST], held = 0;
    unsigned seed = (unsigned)index + 1;
    me = (uint64_t)getpid();
    hint = is_pipe ? 0 : index * (int)r->size / PROCESSES;
    for (int got = -1; jobs > 0 || held > 0;) {
        uint64_t t = now(), first = UINT64_MAX;
        for (int i = 0; i < held; i++) {
            if (end[i] <= t) {
                if (goes_on && jobs > 0 && (token[i] = next(token[i])) >= 0) {
                    end[i] = t + (uint64_t)(rand_r(&seed) % (2000 * (unsigned)micros));
                    jobs--;
                    continue;
                }
                if (token[i] >= 0) release(token[i]);
                end[i] = end[--held];
                token[i] = token[held];
                i--;
            }
        }
        while (jobs > 0 && held < most && (got >= 0 || (got = take()) >= 0)) {
            token[held] = got;
            end[held++] = t + (uint64_t)(rand_r(&seed) % (2000 * (unsigned)micros));
            got = -1;
            jobs--;
        }
        for (int i = 0; i < held; i++) {
            if (end[i] < first) first = end[i];
        }
        if (jobs > 0 && held < most) {
            got = await(first);
        } else if (held > 0 && first > (t = now())) {
            struct timespec rest = {0, (long)(first - t)};
            nanosleep(&rest, 0);
        }
    }
}

/* One job at a time, in which the process computes. */
static void compute(int index, long jobs, long micros) {
    unsigned seed = (unsigned)index + 1;
    me = (uint64_t)getpid();
    hint = is_pipe ? 0 : index * (int)r->size / PROCESSES;
    for (; jobs > 0; jobs--) {
        int token;
        while ((token = take()) < 0 && (token = await(UINT64_MAX)) < 0) {}
        unsigned loops = (unsigned)rand_r(&seed) % (2000 * (unsigned)micros);
        for (; loops > 0; loops--) __asm__ volatile("");
        release(token);
    }
}

static uint64_t nanos(struct timeval t) {
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_usec * 1000;
}

static int tokens(long jobs, long total, long micros, int computes) {
    if (is_pipe) {
        if (pipe2(fds, O_NONBLOCK)) return 1;
        for (long i = 0; i < jobs; i++) release(0);
    }
    r->size = (uint32_t)jobs;
    int processes = is_none && jobs < PROCESSES ? (int)jobs : PROCESSES;
    if (is_none) most = (int)jobs / processes;
    uint64_t begin = now();
    for (int i = 0; i < processes; i++) {
        if (fork() == 0) {
            prctl(PR_SET_TIMERSLACK, 1);
            (computes ? compute : work)(i, total / processes, micros);
            _exit(0);
        }
    }
    int status, bad = 0;
    while (wait(&status) > 0) bad |= status;
    uint64_t wall = now() - begin;
    struct rusage u;
    getrusage(RUSAGE_CHILDREN, &u);
    printf("%lu %lu %lu %ld %lu %lu\n", wall, nanos(u.ru_utime), nanos(u.ru_stime), u.ru_nvcsw + u.ru_nivcsw,
            (unsigned long)r->returns, (unsigned long)r->vain);
    return bad != 0;
}

/* Sides 0 and 1 have a latch each: latch[0] and latch[32], fds[0] and fds[1], or a signal each. */
static void set(int side) {
    uint64_t one = 1;
    _Atomic uint32_t *word = &r->latch[32 * side];
    if (way == 0) {
        atomic_thread_fence(memory_order_seq_cst);
        if (!(*word & 1) && atomic_fetch_or(word, 1) == 2) futex(word, FUTEX_WAKE, 0x7fffffff, 0);
    } else if (way == 1) {
        if (write(fds[side], &one, 8) != 8) exit(3);
    } else if (!atomic_exchange(word, 1)) {
        kill(other, SIGURG);
    }
}

static void wait_for(int side) {
    char buffer[128];
    _Atomic uint32_t *word = &r->latch[32 * side];
    if (way == 0) {
        uint32_t nothing = 0;
        while (atomic_compare_exchange_strong(word, &nothing, 2)) {
            futex(word, FUTEX_WAIT, 2, 0);
            atomic_fetch_and(word, ~2u);
            nothing = 0;
        }
        atomic_fetch_and(word, ~1u);
        return;
    }
    for (;;) {
        struct pollfd p = {way == 1 ? fds[side] : fds[0], POLLIN, 0};
        if (way == 2 && atomic_exchange(word, 0)) return;
        poll(&p, 1, -1);
        if (read(p.fd, buffer, way == 1 ? 8 : 128) > 0 && way == 1) return;
    }
}

static void prepare_signals(void) {
    sigset_t urgent;
    sigemptyset(&urgent);
    sigaddset(&urgent, SIGURG);
    sigprocmask(SIG_BLOCK, &urgent, 0);
    fds[0] = signalfd(-1, &urgent, SFD_NONBLOCK);
}

/* To the first or the last processor that there is for both sides. */
static void pin(int to_last) {
    cpu_set_t all, one;
    sched_getaffinity(0, sizeof all, &all);
    CPU_ZERO(&one);
    int chosen = -1;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &all) && (chosen < 0 || to_last)) chosen = cpu;
    }
    CPU_SET(chosen, &one);
    sched_setaffinity(0, sizeof one, &one);
}

static int latch(int only_set, const char *path) {
    if (way == 1) {
        fds[0] = eventfd(0, EFD_NONBLOCK);
        fds[1] = eventfd(0, EFD_NONBLOCK);
    } else if (way == 2) {
        prepare_signals();
    }
    int parent = getpid();
    if (path) {
        int fd = open(path, O_RDWR);
        r = mmap(0, sizeof *r, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    }
    if (path || (!only_set && (other = fork()) == 0)) {
        if (!path) prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (!path && way == 2) prepare_signals();
        pin(1);
        other = parent;
        if (path) { printf("ready\n"); fflush(stdout); }
        for (;;) {
            wait_for(1);
            set(0);
        }
    }
    pin(0);
    if (only_set) {
        other = getpid();
        set(0);
    }
    printf("ready\n");
    fflush(stdout);
    int n;
    while (scanf(" time %d", &n) == 1) {
        uint64_t begin = now();
        for (int i = 0; i < n; i++) {
            set(only_set ? 0 : 1);
            if (!only_set) wait_for(0);
        }
        printf("%lu\n", now() - begin);
        fflush(stdout);
    }
    return 0;
}

int main(int argc, char **argv) {
    r = mmap(0, sizeof *r, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (argc < 3) return 1;
    is_pipe = !strcmp(argv[2], "pipe");
    goes_on = !strcmp(argv[2], "next");
    is_none = !strcmp(argv[2], "none");
    way = !strcmp(argv[2], "eventfd") ? 1 : !strcmp(argv[2], "signal") ? 2 : 0;
    if (!strcmp(argv[1], "tokens") && argc > 5) {
        return tokens(atol(argv[3]), atol(argv[4]), atol(argv[5]), argc > 6);
    }
    return latch(!strcmp(argv[1], "set"), argc > 3 ? argv[3] : 0);
}
