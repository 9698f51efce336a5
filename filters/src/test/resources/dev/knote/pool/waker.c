/* Changes words of a file, 64 bytes apart, and wakes whoever waits: FILE WORDS ROUNDS. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/futex.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv) {
    int words = atoi(argv[2]);
    int rounds = atoi(argv[3]);
    int fd = open(argv[1], O_RDWR);
    uint32_t *base = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (argc != 4 || fd < 0 || base == MAP_FAILED) {
        return 1;
    }
    for (int i = 0; i < rounds; i++) {
        for (int w = 0; w < words; w++) {
            __atomic_fetch_add(&base[w * 16], 1, __ATOMIC_SEQ_CST);
            syscall(SYS_futex, &base[w * 16], FUTEX_WAKE, 1, NULL, NULL, 0);
        }
    }
    return 0;
}
