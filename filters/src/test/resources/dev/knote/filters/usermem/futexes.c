/*
 * Sleeps on words and wakes them with futex(2), as told on stdin; answers begin with "> ".
 *
 *   map PATH                            > mapped BYTES
 *   wait NAME OFFSET VALUE BITS PRIVATE > waiting NAME      as soon as it sleeps
 *                                       > woken NAME ERRNO  when that ends
 *   wake OFFSET COUNT PRIVATE           > woke COUNT
 *   store OFFSET VALUE BITS             > stored
 *
 * What is compared is the low 32 bits of a word, whatever BITS says.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct waiter {
    char name[64];
    uint32_t *word;
    uint32_t value;
    int op;
    _Atomic int tid;
    _Atomic int done;
};

static char *base;

static void *wait_for_word(void *argument) {
    struct waiter *w = argument;
    w->tid = (int) syscall(SYS_gettid);
    long result;
    do {
        result = syscall(SYS_futex, w->word, w->op, w->value, NULL, NULL, 0);
    } while (result < 0 && errno == EINTR);
    printf("> woken %s %d\n", w->name, result < 0 ? errno : 0);
    fflush(stdout);
    w->done = 1;
    return NULL;
}

/* Whether the thread is in futex(2) and not running; without /proc/.../syscall: whether it sleeps at all. */
static int sleeps(struct waiter *w) {
    char path[64], line[256] = "", state = 0;
    unsigned long address = 0;
    long number = -1;
    snprintf(path, sizeof path, "/proc/self/task/%d/syscall", w->tid);
    FILE *f = fopen(path, "r");
    if (f != NULL) {
        int found = fgets(line, sizeof line, f) != NULL;
        fclose(f);
        return found && sscanf(line, "%ld %lx", &number, &address) == 2 && number == SYS_futex
               && address == (unsigned long) w->word;
    }
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", w->tid);
    f = fopen(path, "r");
    if (f != NULL) {
        int found = fscanf(f, "%*d (%*[^)]) %c", &state) == 1;
        fclose(f);
        return found && state == 'S';
    }
    return 0;
}

static void start_waiter(const char *name, long offset, long long value, int is_private) {
    struct waiter *w = calloc(1, sizeof *w);
    pthread_t thread;
    snprintf(w->name, sizeof w->name, "%s", name);
    w->word = (uint32_t *) (base + offset);
    w->value = (uint32_t) value;
    w->op = FUTEX_WAIT | (is_private ? FUTEX_PRIVATE_FLAG : 0);
    (void) *(volatile uint32_t *) w->word;
    if (pthread_create(&thread, NULL, wait_for_word, w) != 0) {
        perror("pthread_create");
        exit(1);
    }
    pthread_detach(thread);
    while (!w->done && (w->tid == 0 || !sleeps(w)))
        usleep(200);
    printf("> waiting %s\n", name);
}

static void map(const char *path) {
    struct stat st;
    int fd = open(path, O_RDWR);
    if (fd < 0 || fstat(fd, &st) != 0) {
        perror(path);
        exit(1);
    }
    base = mmap(NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (base == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    close(fd);
    printf("> mapped %lld\n", (long long) st.st_size);
}

static void store(long offset, long long value, int bits) {
    if (bits == 64)
        atomic_store((_Atomic uint64_t *) (base + offset), (uint64_t) value);
    else
        atomic_store((_Atomic uint32_t *) (base + offset), (uint32_t) value);
    printf("> stored\n");
}

int main(void) {
    char line[512], path[400], name[64];
    long offset;
    long long value;
    int bits, is_private;
    alarm(120);
    while (fgets(line, sizeof line, stdin) != NULL) {
        if (sscanf(line, "map %399s", path) == 1) {
            map(path);
        } else if (sscanf(line, "wait %63s %ld %lld %d %d", name, &offset, &value, &bits, &is_private) == 5) {
            start_waiter(name, offset, value, is_private);
        } else if (sscanf(line, "wake %ld %lld %d", &offset, &value, &is_private) == 3) {
            int op = FUTEX_WAKE | (is_private ? FUTEX_PRIVATE_FLAG : 0);
            printf("> woke %ld\n", syscall(SYS_futex, base + offset, op, (int) value, NULL, NULL, 0));
        } else if (sscanf(line, "store %ld %lld %d", &offset, &value, &bits) == 3) {
            store(offset, value, bits);
        } else {
            fprintf(stderr, "not a command: %s", line);
            return 1;
        }
        fflush(stdout);
    }
    return 0;
}
