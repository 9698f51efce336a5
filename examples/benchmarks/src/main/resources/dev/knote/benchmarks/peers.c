/* The same work by plain Linux calls. Reads "time N" lines, does the work N times and answers in nanoseconds. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static uint32_t *words; /* the ping's at 0, the pong's at 64 bytes */
static int epfd, readfd, writefd;

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

static void map(const char *path) {
    int fd = open(path, O_RDWR);
    check(fd >= 0, path);
    words = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    check(words != MAP_FAILED, "mmap");
}

static void wake(uint32_t *word) { syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0); }

static uint32_t await(uint32_t *word, uint32_t old) {
    uint32_t value;
    while ((value = __atomic_load_n(word, __ATOMIC_ACQUIRE)) == old)
        syscall(SYS_futex, word, FUTEX_WAIT, old, NULL, NULL, 0);
    return value;
}

static void ping(int n) {
    static uint32_t value;
    for (int i = 0; i < n; i++) {
        __atomic_store_n(&words[0], value + 1, __ATOMIC_RELEASE);
        wake(&words[0]);
        await(&words[16], value);
        value++;
    }
}

static void pong(void) {
    uint32_t value = 0;
    for (;;) {
        value = await(&words[0], value);
        __atomic_store_n(&words[16], value, __ATOMIC_RELEASE);
        wake(&words[16]);
    }
}

/* Looks for a while, then sleeps: between the runs nobody wants to be disturbed. */
static uint32_t look(uint32_t *word, uint32_t old) {
    uint32_t value = old;
    for (int i = 0; i < 20000 && value == old; i++)
        value = __atomic_load_n(word, __ATOMIC_ACQUIRE);
    return value;
}

static void ping_spinning(int n) {
    static uint32_t value;
    for (int i = 0; i < n; i++) {
        __atomic_store_n(&words[0], value + 1, __ATOMIC_RELEASE);
        while (look(&words[16], value) == value)
            wake(&words[0]);
        value++;
    }
}

static void pong_spinning(void) {
    uint32_t value = 0;
    for (;;) {
        uint32_t next = look(&words[0], value);
        value = next != value ? next : await(&words[0], value);
        __atomic_store_n(&words[16], value, __ATOMIC_RELEASE);
    }
}

static void add(int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    check(epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &event) == 0, "EPOLL_CTL_ADD");
}

static void make_pipe(void) {
    int fds[2];
    check(pipe(fds) == 0, "pipe");
    readfd = fds[0];
    writefd = fds[1];
}

static void make_idle(int n) {
    for (int i = 0; i < n; i++) {
        int fd = eventfd(0, EFD_NONBLOCK);
        check(fd >= 0, "eventfd");
        add(fd);
    }
}

/* write, epoll_wait, read: of an eventfd or of one pipe among idle fds */
static void signal_and_drain(int n) {
    uint64_t one = 1;
    struct epoll_event events[16];
    for (int i = 0; i < n; i++) {
        check(write(writefd, &one, 8) == 8, "write");
        check(epoll_wait(epfd, events, 16, -1) == 1, "epoll_wait");
        check(read(readfd, &one, 8) == 8, "read");
        one = 1;
    }
}

static void add_and_delete(int n) {
    struct epoll_event event;
    for (int i = 0; i < n; i++) {
        add(readfd);
        check(epoll_ctl(epfd, EPOLL_CTL_DEL, readfd, &event) == 0, "EPOLL_CTL_DEL");
    }
}

static void *sleep_for_ever(void *unused) {
    (void)unused;
    for (;;)
        pause();
}

/* With a second thread the kernel counts the users of each file, as it does in a JVM. */
static void with_threads(int n) {
    pthread_t thread;
    while (n-- > 1)
        check(pthread_create(&thread, NULL, sleep_for_ever, NULL) == 0, "pthread_create");
}

static void arm_timers(int n) {
    struct itimerspec hour = {.it_value.tv_sec = 3600};
    for (int i = 0; i < n; i++) {
        int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
        check(fd >= 0, "timerfd_create");
        check(timerfd_settime(fd, 0, &hour, NULL) == 0, "timerfd_settime");
        close(fd);
    }
}

static void (*prepare(int argc, char **argv))(int) {
    const char *what = argc > 1 ? argv[1] : "";
    epfd = epoll_create1(0);
    check(epfd >= 0, "epoll_create1");
    if (!strcmp(what, "ping") || !strcmp(what, "ping-spinning")) {
        map(argv[2]);
        return strcmp(what, "ping") ? ping_spinning : ping;
    }
    if (!strcmp(what, "eventfd")) {
        readfd = writefd = eventfd(0, EFD_NONBLOCK);
        add(readfd);
        return signal_and_drain;
    }
    if (!strcmp(what, "idle")) {
        make_idle(atoi(argv[2]));
        make_pipe();
        add(readfd);
        return signal_and_drain;
    }
    if (argc > 2 && !strncmp(what, "register-", 9))
        with_threads(atoi(argv[2]));
    if (!strcmp(what, "register-pipe")) {
        make_pipe();
        return add_and_delete;
    }
    if (!strcmp(what, "register-socket")) {
        int fds[2];
        check(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0, "socketpair");
        readfd = fds[0];
        return add_and_delete;
    }
    if (!strcmp(what, "words")) {
        arm_words(atoi(argv[2]));
        return wake_and_collect;
    }
    if (!strcmp(what, "timerfd"))
        return arm_timers;
    return NULL;
}

static void say(long long number) {
    printf("%lld\n", number);
    fflush(stdout);
}

int main(int argc, char **argv) {
    int spinning = argc > 1 && !strcmp(argv[1], "pong-spinning");
    if (spinning || (argc > 1 && !strcmp(argv[1], "pong"))) {
        map(argv[2]);
        printf("ready\n");
        fflush(stdout);
        (spinning ? pong_spinning : pong)();
        return 0;
    }
    void (*work)(int) = prepare(argc, argv);
    if (!work) {
        fprintf(stderr, "peers: unknown work\n");
        return 2;
    }
    printf("ready\n");
    fflush(stdout);
    int n;
    while (scanf(" time %d", &n) == 1) {
        int64_t from = now();
        work(n);
        say(now() - from);
    }
    return 0;
}
