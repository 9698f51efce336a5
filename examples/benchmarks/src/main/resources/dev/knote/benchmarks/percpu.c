/*
 * What the workers of dev.knote.benchmarks.percpu do, in C: percpu KIND. Answers "threads T" by ok, "time N" by nanoseconds
 * for N of all threads together. xadd: one word for all; line: a word for each processor, atomically; rseq: the same by a
 * restartable sequence; robust: two words changed under a robust mutex that processes could share.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static char lines[512 * 64] __attribute__((aligned(64)));
static volatile int64_t a, b, gate;
static pthread_mutex_t mutex;
static const char *kind;
static long each;

#if defined(__x86_64__) && __has_include(<sys/rseq.h>)
extern const ptrdiff_t __rseq_offset;
void rseq_add(void *lines, long delta);
/* The kernel jumps to 4, whose signature stands before it, if we lose the processor between 2 and 3. */
asm(".text\n.type rseq_add,@function\nrseq_add:\n"
    " mov __rseq_offset@GOTPCREL(%rip),%rdx\n mov (%rdx),%rdx\n"
    "1: lea 9f(%rip),%rcx\n mov %rcx,%fs:8(%rdx)\n"
    "2: mov %fs:4(%rdx),%eax\n shl $6,%rax\n add %rsi,(%rdi,%rax)\n"
    "3: ret\n"
    " .byte 0x0f,0xb9,0x3d\n .long 0x53053053\n"
    "4: jmp 1b\n"
    ".pushsection .data.rel.ro,\"aw\"\n.balign 32\n9: .long 0,0\n .quad 2b,3b-2b,4b\n.popsection\n");
#else
static void rseq_add(void *lines, long delta) {
    __atomic_fetch_add((int64_t *)((char *)lines + 64 * sched_getcpu()), delta, __ATOMIC_SEQ_CST);
}
#endif

static void *work(void *unused) {
    (void)unused;
    for (long i = 0; i < each; i++)
        switch (kind[0]) {
        case 'x': __atomic_fetch_add((int64_t *)lines, 1, __ATOMIC_SEQ_CST); break;
        case 'l': __atomic_fetch_add((int64_t *)(lines + 64 * sched_getcpu()), 1, __ATOMIC_SEQ_CST); break;
        case 'r':
            if (kind[1] == 's') {
                rseq_add(lines, 1);
                break;
            }
            pthread_mutex_lock(&mutex);
            if (gate == 0) {
                a = a + 1;
                b = b - 1;
            }
            pthread_mutex_unlock(&mutex);
        }
    return NULL;
}

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(int count, char **args) {
    char word[16];
    long number, threads = 1;
    pthread_t all[64];
    pthread_mutexattr_t attributes;
    kind = count > 1 ? args[1] : "xadd";
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&mutex, &attributes);
    puts("ready");
    fflush(stdout);
    while (scanf("%15s %ld", word, &number) == 2) {
        if (!strcmp(word, "threads")) {
            threads = number > 64 ? 64 : number;
            puts("ok");
        } else {
            each = number / threads;
            int64_t from = now();
            for (int i = 0; i < threads; i++)
                pthread_create(&all[i], NULL, work, NULL);
            for (int i = 0; i < threads; i++)
                pthread_join(all[i], NULL);
            printf("%ld\n", (long)(now() - from));
        }
        fflush(stdout);
    }
    return 0;
}
