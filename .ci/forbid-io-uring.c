/* Runs a program that cannot have io_uring, as many containers forbid it: io_uring_setup, io_uring_enter and
 * io_uring_register are EPERM. With --no-waitv futex_waitv(2) is forbidden too.
 *
 *   forbid-io-uring [--no-waitv] PROGRAM [ARGUMENT...]
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Numbers of these calls, the same on all machines. */
#define FIRST_RING 425
#define LAST_RING 427
#define FUTEX_WAITV 449

int main(int argc, char **argv) {
    int no_waitv = argc > 1 && strcmp(argv[1], "--no-waitv") == 0;
    char **command = argv + 1 + no_waitv;
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, no_waitv ? FUTEX_WAITV : FIRST_RING, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FIRST_RING, 0, 1),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, LAST_RING, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
    };
    struct sock_fprog program = {.len = sizeof filter / sizeof *filter, .filter = filter};

    if (*command == NULL) {
        fprintf(stderr, "usage: %s [--no-waitv] PROGRAM [ARGUMENT...]\n", argv[0]);
        return 2;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
        || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        perror("forbid-io-uring");
        return 1;
    }
    execvp(*command, command);
    perror(*command);
    return 127;
}
