/*
 * Takes part in what dev.knote.percpu does, by what its javadoc says and nothing else: percpu PATH COMMAND ARGUMENTS
 *   add OFFSET LINES WORD N        adds 1 to a counter, N times
 *   list OFFSET LINES SIZE N       pops and pushes an index, N times
 *   signal OFFSET LINES N          signals, N times, waking all
 *   move WORDS COUNT N STEP        vectors, region at 0: 64-bit words at WORDS, COUNT of them; moves 1 from one to another
 *                                  and adds 1 to the 32-bit word behind them, which it wakes; dies after STEP steps
 *   zombie WORDS COUNT STEP        the same in a child that dies and is not buried before the end of our input
 * N of 0 is for ever. Says "begun" before, "done" after.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <errno.h>
#include <time.h>
#include <unistd.h>

typedef uint64_t u64;
typedef uint32_t u32;
#define WAITERS 0x80000000u
#define GET(p) __atomic_load_n(p, __ATOMIC_SEQ_CST)
#define CAS(p, e, v) __atomic_compare_exchange_n(p, e, v, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)

static char *memory;
static long steps_left = -1;

static void step(void) {
    if (steps_left >= 0 && steps_left-- == 0)
        kill(getpid(), SIGKILL);
}

static long futex(void *word, int op, u32 value, struct timespec *timeout) {
    return syscall(SYS_futex, word, op, value, timeout, NULL, 0);
}

/* counters, free list, event count */

static u64 *line(u64 *lines, u32 count) { return lines + 8 * (sched_getcpu() % count); }

static void push(u64 *lines, u32 count, u32 *links, u32 index) {
    u64 *head = line(lines, count), old;
    do {
        old = GET(head);
        __atomic_store_n(&links[index], (u32)old, __ATOMIC_RELEASE);
    } while (!CAS(head, &old, ((old >> 32) + 1) << 32 | (index + 1)));
}

static long pop(u64 *lines, u32 count, u32 *links) {
    u32 mine = sched_getcpu() % count;
    for (u32 i = 0; i < count; i++) {
        u64 *head = lines + 8 * ((mine + i) % count), old = GET(head);
        while ((u32)old)
            if (CAS(head, &old, ((old >> 32) + 1) << 32 | GET(&links[(u32)old - 1])))
                return (u32)old - 1;
    }
    return -1;
}

static void signal_all(u32 *gate, u64 *lines, u32 count) {
    __atomic_add_fetch(line(lines, count), 1, __ATOMIC_SEQ_CST);
    for (u32 g = GET(gate); g & 1;)
        if (CAS(gate, &g, (g + 2) & ~1u)) {
            futex(gate, FUTEX_WAKE, INT32_MAX, NULL);
            return;
        }
}

/* vectors */

static int stat_of(u32 pid, char *state, long *threads, u64 *birth) {
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%u/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file)
        return 0;
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    char *end = strrchr(text, ')');
    return end && sscanf(end + 2, "%c %*d %*d %*d %*d %*d %*d %*d %*d %*d %*d %*d %*d %*d %*d %*d %*d %ld %*d %lu", state,
                         threads, birth) == 3;
}

static int is_dead(u64 owner) {
    char state;
    long threads;
    u64 birth;
    u32 pid = (u32)owner & ~WAITERS;
    if (syscall(SYS_tkill, pid, 0) && errno == ESRCH)
        return 1;
    if (!stat_of(pid, &state, &threads, &birth))
        return 0;
    return (u32)birth != (u32)(owner >> 32) || (strchr("ZX", state) && threads <= 1);
}

static void do_log(u64 *region) {
    u64 state = region[1];
    for (u64 i = 0; i < (state & 255); i++) {
        u64 where = region[8 + 2 * i], what = region[9 + 2 * i];
        char *word = memory + (where & ~3ul);
        if ((where & 3) == 0)
            __atomic_store_n((u64 *)word, what, __ATOMIC_RELEASE);
        else if ((where & 3) == 1)
            __atomic_store_n((u32 *)word, (u32)what, __ATOMIC_RELEASE);
        else
            futex(word, FUTEX_WAKE, (u32)what, NULL);
        step();
    }
    __atomic_store_n(&region[1], (state & ~255ul) + 256, __ATOMIC_RELEASE);
    step();
}

static void lock(u64 *region, u64 me) {
    u64 owner = 0;
    for (int i = 0; i < 200; i++, owner = 0)
        if (CAS(&region[0], &owner, me))
            return;
    for (;;) {
        owner = 0;
        if (CAS(&region[0], &owner, me | WAITERS))
            return;
        if (!(owner & WAITERS) && !CAS(&region[0], &owner, owner | WAITERS))
            continue;
        owner |= WAITERS;
        struct timespec patience = {0, 10000000};
        if (futex(region, FUTEX_WAIT, (u32)owner, &patience) && errno == ETIMEDOUT && is_dead(owner)
            && CAS(&region[0], &owner, me | WAITERS))
            return;
    }
}

static void put(u64 *entry, u64 where, u64 what) {
    entry[0] = where;
    step();
    entry[1] = what;
    step();
}

/* Moves 1 from a to b, if there is one, adds 1 to c and wakes it. */
static void move(u64 me, u64 a, u64 b, u64 c) {
    u64 *region = (u64 *)memory;
    lock(region, me);
    step();
    if (region[1] & 255)
        do_log(region);
    u64 from = *(u64 *)(memory + a), to = *(u64 *)(memory + b);
    if (from) {
        put(region + 8, a, from - 1);
        put(region + 10, b, to + 1);
        put(region + 12, c | 1, *(u32 *)(memory + c) + 1);
        put(region + 14, c | 2, 1);
        __atomic_store_n(&region[1], region[1] + 4, __ATOMIC_RELEASE);
        step();
        do_log(region);
    }
    u64 old = __atomic_exchange_n(&region[0], 0, __ATOMIC_SEQ_CST);
    step();
    if (old & WAITERS)
        futex(region, FUTEX_WAKE, 1, NULL);
}

static void moves(u64 words, u32 count, long n) {
    char state;
    long threads;
    u64 birth, random = getpid();
    stat_of(getpid(), &state, &threads, &birth);
    for (long i = 0; n == 0 || i < n; i++) {
        random = random * 6364136223846793005ul + 1442695040888963407ul;
        u32 a = (random >> 33) % count;
        move(birth << 32 | getpid(), words + 8 * a, words + 8 * ((a + 1) % count), words + 8 * count);
    }
}

static void zombie(u64 words, u32 count) {
    siginfo_t info;
    if (fork() == 0) {
        moves(words, count, 1);
        _exit(0);
    }
    waitid(P_ALL, 0, &info, WEXITED | WNOWAIT);
    puts("done");
    fflush(stdout);
    getchar();
}

int main(int count, char **args) {
    long a[4] = {0};
    int fd = open(args[1], O_RDWR);
    struct stat file;
    if (fd < 0 || fstat(fd, &file))
        return 1;
    memory = mmap(NULL, file.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    for (int i = 3; i < count && i < 7; i++)
        a[i - 3] = atol(args[i]);
    puts("begun");
    fflush(stdout);
    u64 *lines = (u64 *)(memory + a[0]);
    if (!strcmp(args[2], "add")) {
        for (long i = 0; a[3] == 0 || i < a[3]; i++)
            __atomic_add_fetch(line(lines, a[1]) + a[2], 1, __ATOMIC_SEQ_CST);
    } else if (!strcmp(args[2], "list")) {
        u32 *links = (u32 *)(lines + 8 * a[1]);
        for (long i = 0; a[3] == 0 || i < a[3]; i++) {
            long index = pop(lines, a[1], links);
            if (index >= 0)
                push(lines, a[1], links, index);
        }
    } else if (!strcmp(args[2], "signal")) {
        for (long i = 0; a[2] == 0 || i < a[2]; i++)
            signal_all((u32 *)lines, lines + 8, a[1]);
    } else if (!strcmp(args[2], "move")) {
        steps_left = count > 6 ? a[3] : -1;
        moves(a[0], a[1], a[2]);
    } else {
        steps_left = a[2];
        zombie(a[0], a[1]);
    }
    puts("done");
    return 0;
}
