/*
 * Plain Linux beside Kfutex and EventRing, by the bytes that their javadoc gives. Says "> ..." on stdout.
 *
 *   consumer wait PATH OFFSET VALUE    > value N     when the word at OFFSET is no longer VALUE, and it was woken
 *   consumer take PATH                 > UDATA FILTER FLAGS DATA   for each event of the ring, until it is closed
 *   consumer count PATH OFFSET         adds the udata of each event to the 64-bit word at OFFSET, and 1 to the next;
 *                                      > ready, and > closed when the ring is
 */
#include <fcntl.h>
#include <linux/futex.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct kevent {
    uint64_t ident;
    int16_t filter;
    uint16_t flags;
    uint32_t fflags;
    int64_t data;
    uint64_t udata;
    uint64_t ext[4];
};

static char *base;

#define U32(at) (*(uint32_t *) (base + (at)))
#define U64(at) (*(uint64_t *) (base + (at)))

static int swap32(uint32_t *word, uint32_t old, uint32_t new) {
    return __atomic_compare_exchange_n(word, &old, new, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static int empty(void) {
    return __atomic_load_n(&U64(128), __ATOMIC_SEQ_CST) == __atomic_load_n(&U64(64), __ATOMIC_SEQ_CST);
}

static int take(struct kevent *into, int n) {
    uint32_t slots = U32(4);
    for (;;) {
        uint64_t head = __atomic_load_n(&U64(128), __ATOMIC_ACQUIRE);
        uint64_t there = __atomic_load_n(&U64(64), __ATOMIC_ACQUIRE) - head;
        if (there == 0)
            return 0;
        if (there > slots)
            continue;
        int k = there < (uint64_t) n ? (int) there : n;
        for (int i = 0; i < k; i++)
            memcpy(into + i, base + 256 + (head + i) % slots * 64, 64);
        uint64_t old = head;
        if (!__atomic_compare_exchange_n(&U64(128), &old, head + k, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
            continue;
        uint32_t room = __atomic_load_n(&U32(196), __ATOMIC_SEQ_CST);
        if (room & 1 && there - k <= slots / 2 && swap32(&U32(196), room, room + 1))
            syscall(SYS_futex, &U32(196), FUTEX_WAKE, 1, NULL, NULL, 0);
        return k;
    }
}

/* 0 when the ring is closed */
static int take_or_sleep(struct kevent *into, int n) {
    for (;;) {
        int k = take(into, n);
        if (k > 0)
            return k;
        if (__atomic_load_n(&U32(8), __ATOMIC_SEQ_CST) && empty())
            return 0;
        uint32_t bell = __atomic_load_n(&U32(192), __ATOMIC_SEQ_CST);
        if (!(bell & 1) && !swap32(&U32(192), bell, bell + 1))
            continue;
        if (empty() && !__atomic_load_n(&U32(8), __ATOMIC_SEQ_CST))
            syscall(SYS_futex, &U32(192), FUTEX_WAIT, bell | 1, NULL, NULL, 0);
    }
}

static void say_all(void) {
    struct kevent events[8];
    for (int k; (k = take_or_sleep(events, 8)) > 0;)
        for (int i = 0; i < k; i++) {
            struct kevent *e = events + i;
            printf("> %llu %d %u %lld\n", (unsigned long long) e->udata, e->filter, e->flags, (long long) e->data);
            fflush(stdout);
        }
    printf("> closed\n");
}

static void count_all(long offset) {
    struct kevent events[4];
    printf("> ready\n");
    fflush(stdout);
    for (int k; (k = take_or_sleep(events, 4)) > 0;)
        for (int i = 0; i < k; i++) {
            __atomic_fetch_add(&U64(offset), events[i].udata, __ATOMIC_SEQ_CST);
            __atomic_fetch_add(&U64(offset + 8), 1, __ATOMIC_SEQ_CST);
        }
    printf("> closed\n");
}

static void wait_for_word(long offset, uint32_t value) {
    uint32_t now;
    while ((now = __atomic_load_n(&U32(offset), __ATOMIC_SEQ_CST)) == value)
        syscall(SYS_futex, &U32(offset), FUTEX_WAIT, value, NULL, NULL, 0);
    printf("> value %u\n", now);
}

int main(int argc, char **argv) {
    struct stat st;
    int fd = argc > 2 ? open(argv[2], O_RDWR) : -1;
    alarm(60);
    if (fd < 0 || fstat(fd, &st) != 0)
        return 1;
    base = mmap(NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (base == MAP_FAILED)
        return 1;
    if (!strcmp(argv[1], "wait"))
        wait_for_word(atol(argv[3]), (uint32_t) atol(argv[4]));
    else if (!strcmp(argv[1], "take"))
        say_all();
    else
        count_all(atol(argv[3]));
    return 0;
}
