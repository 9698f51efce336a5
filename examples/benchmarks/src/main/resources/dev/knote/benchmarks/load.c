/*
 * The other side of a server: reads "time N" lines and answers in nanoseconds.
 *   echo PORT CONNECTIONS IN_FLIGHT SIZE asleep|awake   how long N messages and their echoes take
 *   wake word|pipe|eventfd|unix MEMORY WHERE one|two    N times the median of the times from N wakes to their handler:
 *                                                       a host that takes the processor away for a millisecond is no
 *                                                       matter of how one is woken
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define GAP_NANOS 20000

struct connection {
    int fd;
    int got; /* bytes of a message that is not all there */
};

static struct connection *connections;
static int count, in_flight, size, awake, epfd;
static char out[1 << 20], in[1 << 20];

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

static void open_connection(struct connection *c, int port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    int on = 1;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    check(c->fd >= 0, "socket");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    check(connect(c->fd, (struct sockaddr *)&to, sizeof to) == 0, "connect");
    check(epoll_ctl(epfd, EPOLL_CTL_ADD, c->fd, &event) == 0, "epoll_ctl");
}

static void send_messages(struct connection *c, int n) {
    ssize_t bytes = (ssize_t)n * size;
    if (n > 0)
        check(send(c->fd, out, bytes, MSG_NOSIGNAL) == bytes, "send");
}

/* How many messages came. */
static int receive(struct connection *c) {
    ssize_t n = recv(c->fd, in, sizeof in, MSG_DONTWAIT);
    check(n > 0, "recv");
    int bytes = c->got + (int)n;
    c->got = bytes % size;
    return bytes / size;
}

static void echo_one(int64_t n) {
    struct connection *c = connections;
    for (int64_t i = 0; i < n; i++) {
        send_messages(c, 1);
        for (int got = 0; got < size;) {
            ssize_t r = recv(c->fd, in, size - got, awake ? MSG_DONTWAIT : 0);
            check(r > 0 || (r < 0 && awake), "recv");
            got += r > 0 ? r : 0;
        }
    }
}

static int most(int64_t left, int wanted) { return left < wanted ? (int)left : wanted; }

static void echo(int64_t n) {
    struct epoll_event events[256];
    int64_t left = n;
    if (count == 1 && in_flight == 1) {
        echo_one(n);
        return;
    }
    for (int i = 0; i < count; i++) {
        int k = most(left, in_flight);
        send_messages(&connections[i], k);
        left -= k;
    }
    for (int64_t done = 0; done < n;) {
        int ready = epoll_wait(epfd, events, 256, -1);
        for (int i = 0; i < ready; i++) {
            int came = receive(events[i].data.ptr);
            int k = most(left, came);
            done += came;
            left -= k;
            send_messages(events[i].data.ptr, k);
        }
    }
}

static void open_echo(char **args) {
    count = atoi(args[1]);
    in_flight = atoi(args[2]);
    size = atoi(args[3]);
    awake = !strcmp(args[4], "awake");
    epfd = epoll_create1(0);
    connections = calloc(count, sizeof *connections);
    for (int i = 0; i < count; i++)
        open_connection(&connections[i], atoi(args[0]));
}

static char *memory; /* the word at 0; at 64 when the handler ran */
static const char *kind;
static int wakefd, alone;

static int fd_of(const char *pid_and_fd) {
    int pid = atoi(pid_and_fd);
    int fd = atoi(strchr(pid_and_fd, ':') + 1);
    int process = syscall(SYS_pidfd_open, pid, 0);
    check(process >= 0, "pidfd_open");
    return syscall(438 /* pidfd_getfd */, process, fd, 0);
}

static void open_wake(char **args) {
    int fd = open(args[1], O_RDWR);
    kind = args[0];
    check(fd >= 0, args[1]);
    memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    check(memory != MAP_FAILED, "mmap");
    alone = !strcmp(args[3], "one");
    prctl(PR_SET_TIMERSLACK, 1);
    if (!strcmp(kind, "pipe") || !strcmp(kind, "eventfd")) {
        wakefd = fd_of(args[2]);
    } else if (!strcmp(kind, "unix")) {
        struct sockaddr_un to = {.sun_family = AF_UNIX};
        strncpy(to.sun_path, args[2], sizeof to.sun_path - 1);
        wakefd = socket(AF_UNIX, SOCK_STREAM, 0);
        check(connect(wakefd, (struct sockaddr *)&to, sizeof to) == 0, args[2]);
    }
    check(wakefd >= 0, args[2]);
}

static void wake(void) {
    uint64_t one = 1;
    if (!strcmp(kind, "word")) {
        __atomic_fetch_add((uint32_t *)memory, 1, __ATOMIC_RELEASE);
        syscall(SYS_futex, memory, FUTEX_WAKE, 1, NULL, NULL, 0);
    } else {
        size_t n = strcmp(kind, "eventfd") ? 1 : 8;
        check(write(wakefd, &one, n) == (ssize_t)n, "write");
    }
}

/* When the handler ran. */
static int64_t await(int64_t before) {
    struct timespec gap = {.tv_nsec = GAP_NANOS};
    int64_t seen;
    while ((seen = __atomic_load_n((int64_t *)(memory + 64), __ATOMIC_ACQUIRE)) == before)
        if (alone)
            nanosleep(&gap, NULL);
    return seen;
}

static int by_value(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* On one processor the sleep in await is the gap. */
static int64_t wakes(int64_t n) {
    int64_t *took = malloc(n * sizeof *took);
    check(took != NULL, "malloc");
    for (int64_t i = 0; i < n; i++) {
        int64_t before = *(int64_t *)(memory + 64);
        int64_t from = now();
        wake();
        took[i] = await(before) - from;
        for (int64_t until = now() + GAP_NANOS; !alone && now() < until;)
            ;
    }
    qsort(took, n, sizeof *took, by_value);
    int64_t median = took[n / 2];
    free(took);
    return n * median;
}

int main(int argc, char **argv) {
    char line[100];
    check(argc == 7 || argc == 6, "arguments");
    int echoes = !strcmp(argv[1], "echo");
    if (echoes)
        open_echo(argv + 2);
    else
        open_wake(argv + 2);
    setvbuf(stdout, NULL, _IOLBF, 0);
    puts("ready");
    while (fgets(line, sizeof line, stdin)) {
        int64_t n = atoll(line + strlen("time "));
        int64_t from = now();
        int64_t sum = 0;
        if (echoes)
            echo(n);
        else
            sum = wakes(n);
        printf("%lld\n", (long long)(echoes ? now() - from : sum));
    }
    return 0;
}
