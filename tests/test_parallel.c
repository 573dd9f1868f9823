/* test_parallel.c - loops, shared work, and how many threads there are. */
#include "base/parallel.h"
#include "base/quota.h"
#include "base/team.h"
#include "testing.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { JOBS = 40, CALLS = 20, MOST = 16 };

/* --- Loops ---------------------------------------------------------------------------------------- */

struct count {
    int threads;
    atomic_int job[JOBS], busy[MOST], wrong;
};

static void count_job(void *cookie, size_t i, int worker) {
    struct count *c = cookie;
    if (worker < 0 || worker >= c->threads || c->busy[worker]++ != 0) c->wrong++;
    c->job[i]++;
    c->busy[worker]--;
}

static void count_jobs(int threads, size_t n,
                       void (*loop)(int, size_t, void (*)(void *, size_t, int), void *)) {
    struct count c = {.threads = threads};
    loop(threads, n, count_job, &c);
    assert_int_equal(c.wrong, 0);
    for (size_t i = 0; i < JOBS; i++) assert_int_equal(c.job[i], i < n ? 1 : 0);
}

static void every_job_runs_once(void **state) {
    (void)state;
    for (int round = 0; round < 100; round++)
        for (int threads = 1; threads <= MOST; threads++) {
            const size_t n = (size_t)(round + threads) % (JOBS + 1);
            count_jobs(threads, n, parallel_for);
            count_jobs(threads, n, team_for);
        }
}

/* --- Parts ---------------------------------------------------------------------------------------- */

struct sum {
    size_t values;
    const unsigned *from;
    unsigned *to; /* not atomic: ThreadSanitizer sees whether team_run returns too early */
};

static void add_part(const void *cookie, size_t member, size_t members) {
    const struct sum *s = cookie;
    for (size_t i = s->values * member / members; i < s->values * (member + 1) / members; i++)
        s->to[i] += s->from[i];
}

struct work {
    int threads;
    unsigned total[JOBS];
    atomic_int most;
};

static void limit_part(const void *cookie, size_t member, size_t members) {
    atomic_int *const *most = cookie;
    int seen = atomic_load(*most);
    while ((int)members > seen && !atomic_compare_exchange_weak(*most, &seen, (int)members)) continue;
    if (member >= members) atomic_store(*most, 1000);
}

/* Each call reads what all parts of the one before have written. */
static void team_job(void *cookie, size_t i, int worker) {
    struct work *w = cookie;
    unsigned room[2][64] = {{0}};
    atomic_int *most = &w->most;
    (void)worker;
    for (size_t v = 0; v < 64; v++) room[0][v] = (unsigned)(v + i);
    for (int n = 0; n < CALLS; n++) {
        const struct sum s = {.values = 64, .from = room[n % 2], .to = room[1 - n % 2]};
        team_run(add_part, &s, (size_t)(n % 10) * TEAM_WORK);
        team_run(limit_part, &most, 100 * TEAM_WORK);
    }
    for (size_t v = 0; v < 64; v++) w->total[i] += room[0][v] ^ room[1][v];
}

/* The same without threads. */
static unsigned expected_total(size_t i) {
    unsigned total = 0;
    for (size_t v = 0; v < 64; v++) {
        unsigned room[2] = {(unsigned)(v + i), 0};
        for (int n = 0; n < CALLS; n++) room[1 - n % 2] += room[n % 2];
        total += room[0] ^ room[1];
    }
    return total;
}

static int wrong_totals(int threads, size_t n) {
    struct work w = {.threads = threads};
    int wrong = 0;
    team_for(threads, n, team_job, &w);
    for (size_t i = 0; i < n; i++) wrong += w.total[i] != expected_total(i);
    return wrong + ((size_t)w.most > team_parts(threads));
}

static void all_parts_are_done_before_what_follows(void **state) {
    (void)state;
    for (int round = 0; round < 50; round++)
        for (int threads = 1; threads <= MOST; threads++)
            assert_int_equal(wrong_totals(threads, (size_t)(round * 7 + threads) % (JOBS + 1)), 0);
}

static void without_a_loop_there_is_one_part(void **state) {
    (void)state;
    atomic_int most = 0, *cookie = &most;
    team_run(limit_part, &cookie, 100 * TEAM_WORK);
    assert_int_equal(most, 1);
}

static void sleep_ms(long ms) {
    nanosleep(&(struct timespec){0, ms * 1000000}, NULL);
}

static atomic_int waiting;

/* Ends only when the other part has begun: a thread without a job has taken it. */
static void meet_part(const void *cookie, size_t member, size_t members) {
    (void)cookie;
    (void)member;
    if (members < 2) return;
    waiting++;
    while (waiting < 2) sleep_ms(1);
}
static void meet_job(void *cookie, size_t i, int worker) {
    (void)i;
    (void)worker;
    do { /* until the other has come; it sleeps by now */
        sleep_ms(20);
        team_run(meet_part, cookie, 2 * TEAM_WORK);
    } while (waiting < 2);
}

static void a_thread_without_a_job_helps(void **state) {
    (void)state;
    waiting = 0;
    team_for(2, 1, meet_job, NULL);
    assert_int_equal(waiting, 2);
}

/* --- Loops in loops, on several threads, after fork ------------------------------------------------- */

static void nested_job(void *cookie, size_t i, int worker) {
    atomic_int *wrong = cookie;
    (void)worker;
    *wrong += wrong_totals(1 + (int)(i % 4), 1 + i % 5);
}

static void loops_nest(void **state) {
    (void)state;
    atomic_int wrong = 0;
    for (int round = 0; round < 20; round++) {
        parallel_for(4, 10, nested_job, &wrong);
        team_for(4, 10, nested_job, &wrong);
    }
    assert_int_equal(wrong, 0);
}

static void *use(void *cookie) {
    atomic_int *wrong = cookie;
    for (int round = 0; round < 200; round++) *wrong += wrong_totals(1 + round % 5, (size_t)round % 7);
    return NULL;
}

static int child_fails(void) {
    const pid_t child = fork();
    if (child == 0) {
        alarm(60);
        _exit(wrong_totals(4, 6) + wrong_totals(3, 1));
    }
    int status = -1;
    return child < 0 || waitpid(child, &status, 0) != child || status != 0;
}

static void several_threads_use_loops_while_the_process_forks(void **state) {
    (void)state;
    atomic_int wrong = 0;
    pthread_t user[3];
    for (int i = 0; i < 3; i++) assert_int_equal(pthread_create(&user[i], NULL, use, &wrong), 0);
    for (int round = 0; round < 20; round++) wrong += child_fails();
    for (int i = 0; i < 3; i++) pthread_join(user[i], NULL);
    assert_int_equal(wrong, 0);
}

/* The parent's helpers are not there; the child must not count on them. */
static void a_child_has_helpers_of_its_own(void **state) {
    (void)state;
    int status = -1;
    assert_int_equal(wrong_totals(4, 6), 0);
    const pid_t child = fork();
    if (child == 0) {
        alarm(60);
        waiting = 0;
        team_for(2, 1, meet_job, NULL);
        _exit(waiting == 2 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* --- How many ------------------------------------------------------------------------------------- */

/* Directories of path below root are made. */
static void put(const char *root, const char *path, const char *text) {
    char name[512];
    snprintf(name, sizeof name, "%s/%s", root, path);
    for (char *at = name + strlen(root) + 1; (at = strchr(at, '/')) != NULL; *at++ = '/') {
        *at = 0;
        mkdir(name, 0777);
    }
    FILE *f = fopen(name, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void the_smallest_quota_of_nested_groups_counts(void **state) {
    (void)state;
    char root[] = "/tmp/caelum_quota_XXXXXX";
    assert_non_null(mkdtemp(root));
    assert_int_equal(quota_processors(root), 0);
    /* version 2 */
    put(root, "proc/self/cgroup", "0::/a/b\n");
    assert_int_equal(quota_processors(root), 0);
    put(root, "sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
    assert_int_equal(quota_processors(root), 0);
    put(root, "sys/fs/cgroup/a/cpu.max", "350000 100000\n");
    assert_int_equal(quota_processors(root), 4);
    put(root, "sys/fs/cgroup/a/b/cpu.max", "700000 100000\n");
    assert_int_equal(quota_processors(root), 4);
    put(root, "sys/fs/cgroup/a/b/cpu.max", "150000 50000\n");
    assert_int_equal(quota_processors(root), 3);
    put(root, "sys/fs/cgroup/cpu.max", "100000 100000\n"); /* a container's own group */
    assert_int_equal(quota_processors(root), 1);
    /* both: version 1 has the controller */
    put(root, "sys/fs/cgroup/cpu.max", "nonsense\n");
    put(root, "proc/self/cgroup", "4:memory:/x\n3:cpuset:/a\n2:cpuacct,cpu:/g/h\n0::/\n");
    assert_int_equal(quota_processors(root), 0);
    put(root, "sys/fs/cgroup/cpu/g/h/cpu.cfs_quota_us", "-1\n");
    put(root, "sys/fs/cgroup/cpu/g/h/cpu.cfs_period_us", "100000\n");
    assert_int_equal(quota_processors(root), 0);
    put(root, "sys/fs/cgroup/cpu/g/cpu.cfs_quota_us", "200001\n");
    put(root, "sys/fs/cgroup/cpu/g/cpu.cfs_period_us", "100000\n");
    assert_int_equal(quota_processors(root), 3);
    put(root, "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "50000\n");
    put(root, "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
    assert_int_equal(quota_processors(root), 1);
    test_remove(root);
}

static void numbers_of_threads(void **state) {
    (void)state;
    assert_true(parallel_default_threads() >= 1);
    assert_int_equal(parallel_threads(0), parallel_default_threads());
    assert_int_equal(parallel_threads(3), 3);
    assert_true(parallel_threads(100000) <= 1024);
    assert_int_equal(team_parts(1), 1);
    assert_int_equal(team_parts(2), 4);
    assert_int_equal(team_parts(100), TEAM_MOST);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_job_runs_once),
        cmocka_unit_test(all_parts_are_done_before_what_follows),
        cmocka_unit_test(without_a_loop_there_is_one_part),
        cmocka_unit_test(a_thread_without_a_job_helps),
        cmocka_unit_test(loops_nest),
        cmocka_unit_test(several_threads_use_loops_while_the_process_forks),
        cmocka_unit_test(a_child_has_helpers_of_its_own),
        cmocka_unit_test(the_smallest_quota_of_nested_groups_counts),
        cmocka_unit_test(numbers_of_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
