/*
 * Who hears of a socket through memory, or otherwise, and how structs go from thread to thread. Reads "time N" lines.
 *
 *   kfutex futex|eventfd|pipe   says "ready PID SOCKET EVENTFD PIPE"; N times: a byte to the socket, waits to be told of
 *                               it (word 0 of /proc/PID/fd/WORDS changes, or there is something to read), takes the byte
 *   kfutex alone                the same by the word; another process of this program waits in epoll and tells
 *   kfutex structs BATCH        N structs of 64 bytes by a pipe to a process that reads them, BATCH at a time
 *   kfutex cqes                 N completions read from an io_uring; their making is not in the time
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/futex.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static uint32_t *words;

static void check(int ok, const char *what) {
    if (!ok) {
        perror(what);
        exit(1);
    }
}

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

#include "ring.h"

static int sockets[2], event_fd, pipe_fds[2], words_fd, batch;
static char how, buffer[64 * 64];

static void tell_from_epoll(void) {
    int epfd = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};
    prctl(PR_SET_PDEATHSIG, 9);
    check(epoll_ctl(epfd, EPOLL_CTL_ADD, sockets[1], &event) == 0, "EPOLL_CTL_ADD");
    for (;;) {
        check(epoll_wait(epfd, &event, 1, -1) == 1, "epoll_wait");
        __atomic_fetch_add(words, 1, __ATOMIC_SEQ_CST);
        syscall(SYS_futex, words, FUTEX_WAKE, 1, NULL, NULL, 0);
    }
}

static int64_t tell_and_hear(int n) {
    int64_t from = now();
    uint64_t number;
    for (int i = 0; i < n; i++) {
        uint32_t seen = __atomic_load_n(words, __ATOMIC_ACQUIRE);
        check(write(sockets[0], buffer, 1) == 1, "write");
        if (how == 'e') {
            check(read(event_fd, &number, 8) == 8, "read of the eventfd");
        } else if (how == 'p') {
            check(read(pipe_fds[0], buffer, 1) == 1, "read of the pipe");
        } else {
            while (__atomic_load_n(words, __ATOMIC_ACQUIRE) == seen)
                syscall(SYS_futex, words, FUTEX_WAIT, seen, NULL, NULL, 0);
        }
        check(read(sockets[1], buffer, sizeof buffer) == 1, "read");
    }
    return now() - from;
}

static void make_fds(void) {
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0, "socketpair");
    check((event_fd = eventfd(0, 0)) >= 0, "eventfd");
    check(pipe(pipe_fds) == 0, "pipe");
    check((words_fd = memfd_create("words", 0)) >= 0 && ftruncate(words_fd, 4096) == 0, "memfd");
    words = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, words_fd, 0);
    check(words != MAP_FAILED, "mmap");
    if (how == 'a' && fork() == 0)
        tell_from_epoll();
}

/* The reader gives an answer when it has read as many as were announced. */
static void read_structs(void) {
    int64_t left = 0, got;
    prctl(PR_SET_PDEATHSIG, 9);
    while (read(sockets[1], &left, 8) == 8) {
        for (left *= 64; left > 0; left -= got)
            check((got = read(pipe_fds[0], buffer, 64 * batch)) > 0, "read");
        check(write(sockets[1], &left, 8) == 8, "answer");
    }
    exit(0);
}

static int64_t write_structs(int n) {
    int64_t from = now(), count = n;
    check(write(sockets[0], &count, 8) == 8, "announcement");
    for (int i = 0; i < n; i += batch)
        check(write(pipe_fds[1], buffer, 64 * (n - i < batch ? n - i : batch)) > 0, "write");
    check(read(sockets[0], &count, 8) == 8, "answer");
    return now() - from;
}

static int64_t read_cqes(int n) {
    static volatile uint64_t sum;
    struct io_uring_cqe *cqes = (struct io_uring_cqe *)(cq + ring.cq_off.cqes);
    int64_t nanos = 0;
    for (int done = 0; done < n; done += 64) {
        uint32_t tail = *AT(sq, ring.sq_off.tail);
        for (int i = 0; i < 64; i++, tail++) {
            memset(&sqes[tail & 63], 0, sizeof *sqes); /* opcode 0: nothing to do */
            AT(sq, ring.sq_off.array)[tail & 63] = tail & 63;
        }
        __atomic_store_n(AT(sq, ring.sq_off.tail), tail, __ATOMIC_RELEASE);
        enter(64, 64);
        int64_t from = now();
        uint32_t at = *AT(cq, ring.cq_off.head), to = __atomic_load_n(AT(cq, ring.cq_off.tail), __ATOMIC_ACQUIRE);
        for (; at != to; at++)
            sum += cqes[at & (ring.cq_entries - 1)].user_data + cqes[at & (ring.cq_entries - 1)].res;
        __atomic_store_n(AT(cq, ring.cq_off.head), to, __ATOMIC_RELEASE);
        nanos += now() - from;
    }
    return nanos;
}

int main(int argc, char **argv) {
    check(argc > 1, "kfutex: what?");
    how = argv[1][0];
    int64_t (*work)(int) = how == 's' ? write_structs : how == 'c' ? read_cqes : tell_and_hear;
    batch = argc > 2 ? atoi(argv[2]) : 1;
    if (how == 'c')
        make_ring();
    else
        make_fds();
    if (how == 's' && fork() == 0)
        read_structs();
    printf("ready %d %d %d %d %d\n", getpid(), sockets[1], event_fd, pipe_fds[1], words_fd);
    fflush(stdout);
    int n;
    while (scanf(" time %d", &n) == 1) {
        printf("%lld\n", (long long)work(n));
        fflush(stdout);
    }
    return 0;
}
