/* Words armed in an io_uring, woken by futex(2) one by one, collected and armed again; for peers.c and floor.c. */
#include <linux/io_uring.h>

#define OP_FUTEX_WAIT 51
#define SIZE_U32 2
#define LINE 16 /* words in a cache line */
#define AT(base, offset) ((uint32_t *)((base) + (offset)))

static struct io_uring_params ring;
static char *sq, *cq;
static struct io_uring_sqe *sqes;
static int ringfd, armed;

static void *map_ring(size_t size, off_t offset) {
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ringfd, offset);
    check(at != MAP_FAILED, "mmap of a ring");
    return at;
}

static void make_ring(void) {
    ring.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG |
                 IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE;
    ring.cq_entries = 256;
    ringfd = syscall(SYS_io_uring_setup, 64, &ring);
    check(ringfd >= 0, "io_uring_setup");
    sq = map_ring(ring.sq_off.array + 4 * ring.sq_entries, IORING_OFF_SQ_RING);
    cq = map_ring(ring.cq_off.cqes + sizeof(struct io_uring_cqe) * ring.cq_entries, IORING_OFF_CQ_RING);
    sqes = map_ring(sizeof(struct io_uring_sqe) * ring.sq_entries, IORING_OFF_SQES);
}

static void enter(int submit, int wait) {
    syscall(SYS_io_uring_enter, ringfd, submit, wait, IORING_ENTER_GETEVENTS, NULL, 0);
}

static void arm_for(int i, uint32_t expected) {
    uint32_t tail = *AT(sq, ring.sq_off.tail), at = tail & (ring.sq_entries - 1);
    struct io_uring_sqe *sqe = &sqes[at];
    memset(sqe, 0, sizeof *sqe);
    sqe->opcode = OP_FUTEX_WAIT;
    sqe->fd = SIZE_U32;
    sqe->off = expected;
    sqe->addr = (uintptr_t)&words[LINE * (long)i];
    sqe->user_data = i;
    ((uint64_t *)sqe)[6] = 0xffffffff; /* the futex's mask */
    AT(sq, ring.sq_off.array)[at] = at;
    __atomic_store_n(AT(sq, ring.sq_off.tail), tail + 1, __ATOMIC_RELEASE);
}

static void arm(int i) { arm_for(i, words[LINE * (long)i]); }

static void forget_completions(void) {
    uint32_t to = __atomic_load_n(AT(cq, ring.cq_off.tail), __ATOMIC_ACQUIRE);
    __atomic_store_n(AT(cq, ring.cq_off.head), to, __ATOMIC_RELEASE);
}

static int collect(void) {
    uint32_t from = *AT(cq, ring.cq_off.head), to = __atomic_load_n(AT(cq, ring.cq_off.tail), __ATOMIC_ACQUIRE);
    struct io_uring_cqe *cqes = (struct io_uring_cqe *)(cq + ring.cq_off.cqes);
    for (uint32_t i = from; i != to; i++)
        arm(cqes[i & (ring.cq_entries - 1)].user_data);
    __atomic_store_n(AT(cq, ring.cq_off.head), to, __ATOMIC_RELEASE);
    return to - from;
}

static void arm_words(int n) {
    int fd = memfd_create("words", 0);
    check(fd >= 0 && ftruncate(fd, 4L * LINE * n) == 0, "memfd");
    words = mmap(NULL, 4L * LINE * n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    check(words != MAP_FAILED, "mmap");
    make_ring();
    for (armed = 0; armed < n; armed++) {
        arm(armed);
        enter(1, 0);
    }
}

static void wake_and_collect(int n) {
    static int next;
    for (int i = 0; i < n; i++) {
        next = (next + 7919) % armed;
        __atomic_fetch_add(&words[LINE * (long)next], 1, __ATOMIC_SEQ_CST);
        syscall(SYS_futex, &words[LINE * (long)next], FUTEX_WAKE, 1, NULL, NULL, 0);
        int got;
        do {
            enter(0, 1);
            got = collect();
        } while (!got);
        enter(got, 0);
    }
}
