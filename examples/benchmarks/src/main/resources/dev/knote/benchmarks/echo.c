/*
 * An echo server without Java, for load.c: how fast it can be at all.
 *   echo asleep|awake
 * One thread: epoll_wait, recv, send; awake, it sleeps in the first only after it has looked in vain for SPIN_NANOS.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MOST_READY 256
#define BACKLOG 1024
#define SPIN_NANOS 50000

static int epfd;

static void check(int ok, const char *what) {
    if (!ok) {
        perror(what);
        exit(1);
    }
}

static void watch(int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    check(epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
}

static int listen_somewhere(int *port) {
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t length = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    check(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, BACKLOG) == 0, "listen");
    check(getsockname(fd, (struct sockaddr *)&at, &length) == 0, "getsockname");
    *port = ntohs(at.sin_port);
    return fd;
}

static void accept_one(int listener) {
    int fd = accept(listener, NULL, NULL), on = 1;
    check(fd >= 0, "accept");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(fd);
}

static void echo(int fd) {
    static char bytes[1 << 16];
    ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n > 0)
        n = send(fd, bytes, n, MSG_NOSIGNAL);
    if (n == 0 || (n < 0 && errno != EAGAIN))
        close(fd); /* the client is gone */
}

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int await(struct epoll_event *events, int awake) {
    int ready = 0;
    if (awake)
        for (int64_t until = now() + SPIN_NANOS; ready == 0 && now() < until;)
            ready = epoll_wait(epfd, events, MOST_READY, 0);
    return ready != 0 ? ready : epoll_wait(epfd, events, MOST_READY, -1);
}

int main(int argc, char **argv) {
    struct epoll_event events[MOST_READY];
    int port;
    check(argc == 2, "arguments");
    int awake = !strcmp(argv[1], "awake");
    epfd = epoll_create1(0);
    check(epfd >= 0, "epoll_create1");
    int listener = listen_somewhere(&port);
    watch(listener);
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("ready %d %d\n", (int)getpid(), port);
    for (;;) {
        int ready = await(events, awake);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.fd == listener)
                accept_one(listener);
            else
                echo(events[i].data.fd);
        }
    }
}
