/*
 * Who is woken by load.c, without Java: how fast it can be at all.
 *   floor awake|futex|ring|pipe|eventfd|unix MEMORY DIRECTORY
 * Says ready, its thread and where it can be reached, then notes in the memory when it was woken.
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
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static uint32_t *words;
static char *memory; /* the word at 0; at 64 when it was seen */

static void check(int ok, const char *what) {
    if (!ok) {
        perror(what);
        exit(1);
    }
}

#include "ring.h"

static void ran(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    __atomic_store_n((int64_t *)(memory + 64), t.tv_sec * 1000000000LL + t.tv_nsec, __ATOMIC_RELEASE);
}

static void ready(const char *where) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("ready %d %s\n", (int)getpid(), where);
}

/* A word that has changed; the wait for it, with what was seen last. */
static void serve_word(void (*await)(uint32_t seen)) {
    uint32_t seen = __atomic_load_n(words, __ATOMIC_ACQUIRE);
    ready("-");
    for (;;) {
        uint32_t value = __atomic_load_n(words, __ATOMIC_ACQUIRE);
        if (value == seen) {
            await(seen);
        } else {
            seen = value;
            ran();
        }
    }
}

static void stay_awake(uint32_t seen) {
    (void)seen;
#ifdef __x86_64__
    __builtin_ia32_pause();
#endif
}

static void futex(uint32_t seen) { syscall(SYS_futex, words, FUTEX_WAIT, seen, NULL, NULL, 0); }

/* Armed, and slept in, by one entry. */
static void sleep_in_ring(uint32_t seen) {
    arm_for(0, seen);
    enter(1, 1);
    forget_completions();
}

static void serve_fd(int fd, const char *where) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};
    int epfd = epoll_create1(0);
    check(epfd >= 0 && epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &event) == 0, "epoll");
    ready(where);
    for (;;) {
        char bytes[8];
        if (epoll_wait(epfd, &event, 1, -1) == 1 && read(fd, bytes, sizeof bytes) > 0)
            ran();
    }
}

static void serve_unix(const char *directory) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct epoll_event event = {.events = EPOLLIN};
    snprintf(at.sun_path, sizeof at.sun_path, "%s/socket", directory);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), epfd = epoll_create1(0);
    check(bind(listener, (struct sockaddr *)&at, sizeof at) == 0 && listen(listener, 1) == 0, at.sun_path);
    event.data.fd = listener;
    check(epoll_ctl(epfd, EPOLL_CTL_ADD, listener, &event) == 0, "epoll_ctl");
    ready(at.sun_path);
    for (;;) {
        char bytes[8];
        check(epoll_wait(epfd, &event, 1, -1) == 1, "epoll_wait");
        if (event.data.fd == listener) {
            event = (struct epoll_event){.events = EPOLLIN | EPOLLET};
            event.data.fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
            check(epoll_ctl(epfd, EPOLL_CTL_ADD, event.data.fd, &event) == 0, "epoll_ctl");
        } else if (recv(event.data.fd, bytes, sizeof bytes, 0) > 0) {
            ran();
        }
    }
}

static const char *place(int fd) {
    static char text[40];
    snprintf(text, sizeof text, "%d:%d", (int)getpid(), fd);
    return text;
}

int main(int argc, char **argv) {
    check(argc == 4, "arguments");
    int fd = open(argv[2], O_RDWR), ends[2];
    check(fd >= 0, argv[2]);
    memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    check(memory != MAP_FAILED, "mmap");
    words = (uint32_t *)memory;
    if (!strcmp(argv[1], "awake")) {
        serve_word(stay_awake);
    } else if (!strcmp(argv[1], "futex")) {
        serve_word(futex);
    } else if (!strcmp(argv[1], "ring")) {
        make_ring();
        serve_word(sleep_in_ring);
    } else if (!strcmp(argv[1], "pipe")) {
        check(pipe2(ends, O_NONBLOCK) == 0, "pipe2");
        serve_fd(ends[0], place(ends[1]));
    } else if (!strcmp(argv[1], "eventfd")) {
        fd = eventfd(0, EFD_NONBLOCK);
        serve_fd(fd, place(fd));
    } else {
        serve_unix(argv[3]);
    }
}
