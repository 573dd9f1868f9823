/* test_dist.c - training shared by ranks, without MPI: threads are the ranks here, connected by a wire of
 * mailboxes. tests/cli/mpi.sh has processes under MPI. */
#include "testing.h"

#include "base/dist.h"
#include "base/mem.h"
#include "data/data.h"
#include "study/study_ranks.h"
#include "train/trainer.h"

#include <pthread.h>
#include <string.h>

/* --- The wire ------------------------------------------------------------------------------------- */

enum { MOST_RANKS = 7 };

static pthread_barrier_t barrier;
static const struct dist_piece *outs_of[MOST_RANKS];
static size_t counts[MOST_RANKS], sent; /* bytes by rank 0 */

/* The number-th piece that a rank has for another. */
static const struct dist_piece *piece_for(int from, int to, size_t number) {
    for (size_t i = 0; i < counts[from]; i++)
        if (outs_of[from][i].rank == to && number-- == 0) return &outs_of[from][i];
    return NULL;
}

static void exchange(const struct caelum_dist *dist, const struct dist_piece *out, size_t outs,
                     const struct dist_piece *in, size_t ins) {
    size_t taken[MOST_RANKS] = {0};
    outs_of[dist->rank] = out, counts[dist->rank] = outs;
    for (size_t i = 0; dist->rank == 0 && i < outs; i++) sent += out[i].size;
    pthread_barrier_wait(&barrier);
    for (size_t i = 0; i < ins; i++) {
        const struct dist_piece *p = piece_for(in[i].rank, dist->rank, taken[in[i].rank]++);
        assert_non_null(p);
        assert_int_equal(p->size, in[i].size);
        if (p->size) memcpy(in[i].bytes, p->bytes, p->size);
    }
    for (int r = 0; r < dist->ranks; r++) assert_null(piece_for(r, dist->rank, taken[r]));
    pthread_barrier_wait(&barrier);
}

static const struct dist_wire wire = {.exchange = exchange};

struct rank {
    struct caelum_dist dist;
    void (*work)(struct rank *rank);
    void *cookie;
};

static void *run_rank(void *cookie) {
    struct rank *rank = cookie;
    rank->work(rank);
    return NULL;
}

/* Does the same on all ranks. */
static void on_ranks(int ranks, void (*work)(struct rank *rank), void *cookie) {
    struct rank rank[MOST_RANKS];
    pthread_t thread[MOST_RANKS];
    pthread_barrier_init(&barrier, NULL, (unsigned)ranks);
    sent = 0;
    for (int r = 0; r < ranks; r++) {
        rank[r] =
            (struct rank){.dist = {.rank = r, .ranks = ranks, .wire = &wire}, .work = work, .cookie = cookie};
        assert_ok(dist_connect(&rank[r].dist, err));
        assert_int_equal(pthread_create(&thread[r], NULL, run_rank, &rank[r]), 0);
    }
    for (int r = 0; r < ranks; r++) {
        pthread_join(thread[r], NULL);
        mem_free(&rank[r].dist.piece);
        mem_free(&rank[r].dist.report);
    }
    pthread_barrier_destroy(&barrier);
}

/* --- Its calls ------------------------------------------------------------------------------------ */

static void parts_are_all_of_it_and_even(void **state) {
    (void)state;
    for (int ranks = 1; ranks <= 9; ranks++)
        for (size_t n = 0; n < 40; n++) {
            const struct caelum_dist dist = {.ranks = ranks};
            size_t at = 0;
            for (int r = 0; r < ranks; r++) {
                const struct dist_part part = dist_part(&dist, r, n);
                const size_t size = part.end - part.first, least = n / (size_t)ranks;
                assert_int_equal(part.first, at);
                assert_true(size == least || size == least + 1);
                at = part.end;
            }
            assert_int_equal(at, n);
        }
}

static void agree(struct rank *rank) {
    const int failing = *(const int *)rank->cookie;
    struct caelum_error e = {0};
    int code = CAELUM_OK;
    if (rank->dist.rank >= failing)
        code = caelum_fail(&e, CAELUM_EIO, "rank %d is out of it", rank->dist.rank);
    code = dist_agree(&rank->dist, code, &e);
    assert_int_equal(code, failing < rank->dist.ranks ? CAELUM_EIO : CAELUM_OK);
    char words[64], host[32];
    snprintf(words, sizeof words, "rank %d is out of it", failing);
    snprintf(host, sizeof host, "rank %d on ", failing);
    if (code != 0) assert_non_null(strstr(e.text, words));
    if (code != 0) assert_true((strstr(e.text, host) != NULL) == (failing > 0));
}

static void all_know_what_one_has_failed_in(void **state) {
    (void)state;
    for (int failing = 0; failing <= 3; failing++) on_ranks(3, agree, &failing);
}

static void spread(struct rank *rank) {
    struct caelum_error e;
    char *text = NULL;
    size_t size = 0;
    if (rank->dist.rank == 0) assert_int_equal(mem_strdup(&text, "from the first", &e), 0), size = 15;
    assert_int_equal(dist_spread(&rank->dist, &text, &size, &e), 0);
    assert_int_equal(size, 15);
    assert_string_equal(text, "from the first");
    mem_free(&text);
}

static void all_get_what_the_first_has(void **state) {
    (void)state;
    for (int ranks = 1; ranks <= 3; ranks++) on_ranks(ranks, spread, NULL);
}

/* --- Sums ----------------------------------------------------------------------------------------- */

enum { PARAMS = 37, MOST_JOBS = 24 };

struct sum {
    size_t jobs;
    bool tail;
    float each[MOST_JOBS + 1][PARAMS], all[PARAMS];
};

static void add_on_rank(struct rank *rank) {
    const struct sum *s = rank->cookie;
    struct caelum_error e;
    struct sum_tree t = {.dist = &rank->dist, .kernels = kernels_get(CPU_GENERIC), .threads = 1, .n = PARAMS};
    assert_int_equal(sum_tree_open(&t, MOST_JOBS, 1, &e), 0);
    sum_tree_begin(&t, s->jobs, s->tail);
    for (size_t j = t.mine.first; j < t.mine.end; j++)
        memcpy(sum_tree_stack(&t, j), s->each[j], sizeof s->each[j]);
    sum_tree_end(&t);
    assert_memory_equal(t.stacks, s->all, sizeof s->all);
    sum_tree_close(&t);
}

/* By pairs, pairs of pairs and so on; the tail last. */
static void add_pairs(struct sum *s) {
    static float sum[MOST_JOBS + 1][PARAMS];
    memcpy(sum, s->each, sizeof sum);
    for (size_t step = 1; step < s->jobs; step *= 2)
        for (size_t j = 0; j + step < s->jobs; j += 2 * step)
            for (size_t i = 0; i < PARAMS; i++) sum[j][i] += sum[j + step][i];
    for (size_t i = 0; s->tail && s->jobs > 0 && i < PARAMS; i++) sum[0][i] += sum[s->jobs][i];
    memcpy(s->all, sum[0], sizeof s->all);
}

static void any_ranks_add_in_the_same_order(void **state) {
    (void)state;
    struct sum s = {0};
    struct rng rng = rng_make(1, RNG_ORDER, 0);
    for (size_t j = 0; j <= MOST_JOBS; j++)
        for (size_t i = 0; i < PARAMS; i++) s.each[j][i] = (float)(rng_u32(&rng) % 2000) / 7.0f - 100;
    for (int ranks = 1; ranks <= MOST_RANKS; ranks++)
        for (s.jobs = 1; s.jobs <= MOST_JOBS; s.jobs++) {
            s.tail = (s.jobs + (size_t)ranks) % 2;
            add_pairs(&s);
            on_ranks(ranks, add_on_rank, &s);
        }
}

/* What docs/cluster.md reckons with: where the jobs are cut at the tree's joints, a rank sends one sum but
 * its own slice of it, and that slice to each of the others. */
static void a_rank_sends_two_sums_at_most(void **state) {
    (void)state;
    struct sum s = {.jobs = 8};
    for (int ranks = 2; ranks <= 4; ranks *= 2) {
        const size_t slice = PARAMS / (size_t)ranks;
        on_ranks(ranks, add_on_rank, &s);
        assert_int_equal(sent, (PARAMS - slice + (size_t)(ranks - 1) * slice) * sizeof(float));
    }
}

/* --- Training ------------------------------------------------------------------------------------- */

enum { PICTURES = 300, STEPS = 2 };

struct training {
    const struct caelum_net *net;
    struct pictures set;
    struct caelum_train_settings settings;
    uint32_t order[PICTURES];
    size_t n;      /* pictures of a step */
    float *params; /* of one process */
    struct loss_sums sums[STEPS + 1];
};

/* Steps and a measurement; of one process they are what others are compared with. */
static void learn(struct training *job, const struct caelum_dist *dist, int threads) {
    struct caelum_error e;
    struct trainer t = {0};
    struct caelum_train_settings settings = job->settings;
    settings.dist = dist, settings.threads = threads;
    assert_int_equal(trainer_open(&t, job->net, &settings, PICTURES, &e), 0);
    struct loss_sums sums[STEPS + 1];
    memset(sums, 0, sizeof sums);
    for (size_t i = 0; i < STEPS; i++) trainer_step(&t, &job->set, job->order + i, job->n, &sums[i]);
    trainer_measure(&t, &job->set, &sums[STEPS]);
    if (dist) {
        assert_memory_equal(sums, job->sums, sizeof sums);
        assert_memory_equal(t.params, job->params, job->net->params * sizeof *t.params);
    } else {
        memcpy(job->sums, sums, sizeof sums);
        memcpy(job->params, t.params, job->net->params * sizeof *t.params);
    }
    trainer_close(&t);
}

static void learn_on_rank(struct rank *rank) {
    learn(rank->cookie, &rank->dist, 1 + rank->dist.rank % 2);
}

static struct training open_training(struct caelum_net **net, struct caelum_data **data) {
    struct training job = {.settings = trainer_defaults(PICTURES, 0.01, 1)};
    assert_ok(caelum_net_parse(net,
                               "input 3\nnoise 0.1\nconv 6 relu\nmaxpool\nlatent\nupsample\nconv 3 sigmoid\n",
                               "shared", 8, 8, err));
    assert_ok(caelum_data_open(data, "synthetic:1000:8", NULL, err));
    job.net = *net;
    job.set = data_pictures(*data, CAELUM_TRAIN);
    job.set.n = PICTURES;
    assert_ok(mem_alloc(&job.params, job.net->params, sizeof *job.params, err));
    for (uint32_t i = 0; i < PICTURES; i++) job.order[i] = i * 7 % PICTURES;
    return job;
}

/* Minibatches of whole blocks, of a tail besides, of a tail alone, of fewer jobs than ranks. */
static void ranks_do_not_change_bits(void **state) {
    (void)state;
    static const size_t sizes[] = {3, 8, 16, 19, 40, 50, 128, 203, 298};
    struct caelum_net *net = NULL;
    struct caelum_data *data = NULL;
    struct training job = open_training(&net, &data);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        job.n = sizes[i];
        learn(&job, NULL, 1);
        for (int ranks = 1; ranks <= MOST_RANKS; ranks++) on_ranks(ranks, learn_on_rank, &job);
    }
    mem_free(&job.params);
    caelum_net_close(&net), caelum_data_close(&data);
}

/* --- Studies -------------------------------------------------------------------------------------- */

/* Largest first: 9 to rank 0, 7 to 1, 5 to 2; 4 to 2 (9), 3 to 1 (10), 2 to 0 (11), 1 to 2 (10). */
static void share_runs(struct rank *rank) {
    static const double size[] = {2, 9, 0, 4, 7, 1, 5, 3}, nothing[] = {0, 0, 0, 0, 0, 0, 0, 0};
    static const int expected[] = {0, 0, -1, 2, 1, 2, 2, 1};
    struct caelum_error e;
    int owner[8];
    const double *mine = rank->dist.rank == 0 ? size : nothing; /* what others see does not count */
    assert_int_equal(study_ranks_share(&rank->dist, mine, 8, owner, &e), 0);
    assert_memory_equal(owner, expected, sizeof owner);
    const size_t n = rank->dist.rank == 2 ? 7 : 8;
    assert_int_equal(study_ranks_share(&rank->dist, mine, n, owner, &e), CAELUM_EUSAGE);
    assert_non_null(strstr(e.text, "its study has 7 runs, that of rank 0 8"));
}

static void runs_are_shared_largest_first(void **state) {
    (void)state;
    on_ranks(3, share_runs, NULL);
}

static void sum_tallies(struct rank *rank) {
    struct caelum_error e;
    struct study_tally t = {
        .finished = 2, .failed = (size_t)rank->dist.rank, .stopped = rank->dist.rank == 1};
    if (rank->dist.rank > 0) caelum_fail(&t.err, CAELUM_EIO, "run of %d", rank->dist.rank);
    assert_int_equal(study_ranks_sum(&rank->dist, &t, &e), 0);
    assert_int_equal(t.finished, 6);
    assert_int_equal(t.failed, 3);
    assert_true(t.stopped);
    assert_string_equal(t.err.text, "run of 1");
}

static void what_ranks_did_is_added_up(void **state) {
    (void)state;
    on_ranks(3, sum_tallies, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_all_of_it_and_even),  cmocka_unit_test(all_know_what_one_has_failed_in),
        cmocka_unit_test(all_get_what_the_first_has),    cmocka_unit_test(any_ranks_add_in_the_same_order),
        cmocka_unit_test(a_rank_sends_two_sums_at_most), cmocka_unit_test(ranks_do_not_change_bits),
        cmocka_unit_test(runs_are_shared_largest_first), cmocka_unit_test(what_ranks_did_is_added_up)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
