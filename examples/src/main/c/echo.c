/* An echo server on one kqueue: sockets, a timer for each client, and a user event from a thread. */
#include <sys/types.h>
#include <sys/event.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <err.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define STOP 1        /* the ident of the user event */
#define IDLE_MS 2000  /* who is silent for so long is sent away */

struct client {
    int number, fd;
    long bytes;
};

static int kq, server, clients;

/* One change of the queue. */
static void change(uintptr_t ident, int filter, int flags, unsigned fflags, long data, void *udata) {
    struct kevent ev;
    EV_SET(&ev, ident, filter, flags, fflags, data, udata);
    if (kevent(kq, &ev, 1, NULL, 0, NULL) < 0)
        err(1, "kevent");
}

static void open_server(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    if ((server = socket(AF_INET, SOCK_STREAM, 0)) < 0
        || bind(server, (struct sockaddr *) &address, length) < 0
        || listen(server, 128) < 0
        || getsockname(server, (struct sockaddr *) &address, &length) < 0)
        err(1, "server");
    printf("listening on port %d\n", ntohs(address.sin_port));
    change(server, EVFILT_READ, EV_ADD, 0, 0, NULL);
}

static void welcome(void) {
    struct client *c = calloc(1, sizeof *c);
    if (c == NULL || (c->fd = accept(server, NULL, NULL)) < 0)
        err(1, "accept");
    c->number = ++clients;
    printf("client %d: connected\n", c->number);
    change(c->fd, EVFILT_READ, EV_ADD, 0, 0, c);
    change(c->fd, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0, IDLE_MS, c);
}

static void leave(struct client *c, const char *why) {
    printf("client %d: %s after %ld bytes\n", c->number, why, c->bytes);
    change(c->fd, EVFILT_READ, EV_DELETE, 0, 0, NULL);
    close(c->fd);
    free(c);
}

static void echo(struct client *c) {
    char buffer[4096];
    ssize_t n = read(c->fd, buffer, sizeof buffer);
    if (n <= 0) {
        change(c->fd, EVFILT_TIMER, EV_DELETE, 0, 0, NULL);
        leave(c, "gone");
        return;
    }
    c->bytes += n;
    if (write(c->fd, buffer, n) != n)
        err(1, "write");
    change(c->fd, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0, IDLE_MS, c); /* starts anew */
}

/* When there is no more to read on stdin, the server is to stop. */
static void *operator(void *unused) {
    while (getchar() != EOF)
        continue;
    change(STOP, EVFILT_USER, 0, NOTE_TRIGGER | NOTE_FFCOPY | 7, 0, NULL);
    return unused;
}

int main(void) {
    struct kevent ev;
    pthread_t thread;

    setlinebuf(stdout);
    if ((kq = kqueue()) < 0)
        err(1, "kqueue");
    open_server();
    change(STOP, EVFILT_USER, EV_ADD | EV_CLEAR, 0, 0, NULL);
    pthread_create(&thread, NULL, operator, NULL);

    for (;;) { /* one event a call: what it does may make the next one untrue */
        if (kevent(kq, NULL, 0, &ev, 1, NULL) < 0)
            err(1, "kevent");
        switch (ev.filter) {
        case EVFILT_READ:
            if (ev.udata == NULL)
                welcome();
            else
                echo(ev.udata);
            break;
        case EVFILT_TIMER:
            leave(ev.udata, "silent");
            break;
        case EVFILT_USER:
            printf("stopped with %u after %d clients\n", ev.fflags & NOTE_FFLAGSMASK, clients);
            close(kq);
            return 0;
        }
    }
}
