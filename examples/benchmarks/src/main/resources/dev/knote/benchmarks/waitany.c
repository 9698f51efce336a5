/* One of N is made available by another process, at random, and waited for among all.
 *   echo PATH N words|events     answers the JVM that asks at the first line of PATH
 *   waitv|epoll|poll N MINE ITS  does both; "time N" lines are answered by nanoseconds */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LINE 16 /* words */

struct waitv {
    uint64_t value, address;
    uint32_t flags, reserved;
};

static uint32_t *words; /* line 0: the question; then a line for each */
static int n, epfd, *fds;
static struct waitv *vector;
static struct pollfd *polled;
static uint32_t seed = 1, asked;

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

static void wake(uint32_t *word, int most) { syscall(SYS_futex, word, FUTEX_WAKE, most, NULL, NULL, 0); }

static void pin(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    check(sched_setaffinity(0, sizeof set, &set) == 0, "sched_setaffinity");
}

static void answer_word(uint32_t *word) {
    __atomic_fetch_add(word, 1, __ATOMIC_SEQ_CST);
    wake(word, 1);
}

static void answer_event(uint32_t *word) {
    uint32_t old = __atomic_fetch_or(word, 1, __ATOMIC_SEQ_CST);
    if (!(old & 1) && old >> 30 && syscall(SYS_futex, word, FUTEX_WAKE, (old >> 31) + (old >> 30 & 1), NULL, NULL, 0) == 0
            && old >> 31) {
        __atomic_fetch_and(word, 0x7fffffff, __ATOMIC_SEQ_CST);
        wake(word, 1 << 30);
    }
}

static void answer_fd(uint32_t *word) {
    uint64_t one = 1;
    check(write(fds[(word - words) / LINE - 1], &one, 8) == 8, "write");
}

/* A question is a number in the high half, and the index of what to make available. Who answers does not run before
 * who asks sleeps, where they share a processor: so it is a sleep that is measured. */
static void serve(void (*answer)(uint32_t *)) {
    struct sched_param none = {0};
    check(sched_setscheduler(0, SCHED_BATCH, &none) == 0, "sched_setscheduler");
    for (uint32_t seen = 0;;) {
        uint32_t question;
        while ((question = __atomic_load_n(words, __ATOMIC_ACQUIRE)) == seen)
            syscall(SYS_futex, words, FUTEX_WAIT, seen, NULL, NULL, 0);
        seen = question;
        answer(words + LINE * (1 + (question & 0xffff)));
    }
}

static int ask(void) {
    seed = seed * 1103515245 + 12345;
    int index = (seed >> 8) % n;
    asked += 0x10000;
    __atomic_store_n(words, (asked & 0xffff0000) | index, __ATOMIC_RELEASE);
    wake(words, 1);
    return index;
}

static void by_waitv(int rounds) {
    while (rounds-- > 0) {
        int index = ask();
        uint32_t *word = words + LINE * (1 + index);
        while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == vector[index].value)
            syscall(449, vector, n, 0, NULL, 0);
        vector[index].value++;
    }
}

static void take_fd(int fd, int index) {
    uint64_t value;
    check(fd == fds[index] && read(fd, &value, 8) == 8, "another one");
}

static void by_epoll(int rounds) {
    struct epoll_event events[16];
    while (rounds-- > 0) {
        int index = ask();
        check(epoll_wait(epfd, events, 16, -1) == 1, "epoll_wait");
        take_fd(events[0].data.fd, index);
    }
}

static void by_poll(int rounds) {
    while (rounds-- > 0) {
        int index = ask(), i = 0;
        check(poll(polled, n, -1) == 1, "poll");
        while (!polled[i].revents)
            i++;
        take_fd(polled[i].fd, index);
    }
}

static void make_fds(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    epfd = epoll_create1(0);
    fds = calloc(n, sizeof *fds);
    polled = calloc(n, sizeof *polled);
    for (int i = 0; i < n; i++) {
        fds[i] = eventfd(0, EFD_NONBLOCK);
        check(fds[i] >= 0, "eventfd");
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fds[i]};
        check(epoll_ctl(epfd, EPOLL_CTL_ADD, fds[i], &event) == 0, "epoll_ctl");
        polled[i] = (struct pollfd) {.fd = fds[i], .events = POLLIN};
    }
}

static void make_vector(void) {
    vector = calloc(n, sizeof *vector);
    for (int i = 0; i < n; i++)
        vector[i] = (struct waitv) {.address = (uintptr_t)(words + LINE * (1 + i)), .flags = 2};
}

int main(int argc, char **argv) {
    if (argc < 5)
        return 2;
    if (!strcmp(argv[1], "echo")) {
        int fd = open(argv[2], O_RDWR);
        check(fd >= 0, argv[2]);
        n = atoi(argv[3]);
        words = mmap(NULL, 64 * (n + 1), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        check(words != MAP_FAILED, "mmap");
        printf("ready\n");
        fflush(stdout);
        serve(strcmp(argv[4], "events") ? answer_word : answer_event);
    }
    n = atoi(argv[2]);
    words = mmap(NULL, 64 * (n + 1), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    check(words != MAP_FAILED, "mmap");
    int waitv = !strcmp(argv[1], "waitv");
    if (waitv)
        make_vector();
    else
        make_fds();
    if (fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        pin(atoi(argv[4]));
        serve(waitv ? answer_word : answer_fd);
    }
    pin(atoi(argv[3]));
    printf("ready\n");
    fflush(stdout);
    int rounds;
    while (scanf(" time %d", &rounds) == 1) {
        int64_t from = now();
        (waitv ? by_waitv : !strcmp(argv[1], "epoll") ? by_epoll : by_poll)(rounds);
        printf("%lld\n", (long long)(now() - from));
        fflush(stdout);
    }
    return 0;
}
