/* The demo's peer in C: changes a word of shared memory and wakes who waits for it, by futex(2) alone. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The lines of the memory, 64 bytes each, that belong to this peer. */
struct lines {
    _Alignas(64) _Atomic uint32_t word;
    _Alignas(64) _Atomic int64_t stamp;
};

/* Arguments: the memory's path, the number of its first line, how many rounds, milliseconds between them. */
int main(int argc, char **argv) {
    int fd = argc == 5 ? open(argv[1], O_RDWR) : -1;
    if (fd < 0) {
        perror("demo-peer");
        return 1;
    }
    char *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) {
        perror("demo-peer: mmap");
        return 1;
    }
    struct lines *lines = (struct lines *) (memory + 64 * atoi(argv[2]));
    for (int round = 1; round <= atoi(argv[3]); round++) {
        struct timespec now;
        usleep(1000 * atoi(argv[4]));
        clock_gettime(CLOCK_MONOTONIC, &now);
        atomic_store(&lines->stamp, now.tv_sec * INT64_C(1000000000) + now.tv_nsec);
        atomic_store(&lines->word, round);
        syscall(SYS_futex, &lines->word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
    }
    return 0;
}
