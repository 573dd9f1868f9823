/* pool.c - engines that nobody works with are kept in a list, the latest first, and only a few of them. */
#include "model/pool.h"

#include "base/mem.h"
#include "base/parallel.h"

#include <pthread.h>

enum { KINDS = 8 }; /* layers and threads; of one, there are as many as processors at most */

struct engine_pool {
    pthread_mutex_t lock;
    struct pooled *kept;
    int threads; /* the default: asking the system takes longer than a small picture */
};

int pool_open(struct engine_pool **out, struct caelum_error *err) {
    struct engine_pool *pool = NULL;
    CHECK(mem_alloc(&pool, 1, sizeof *pool, err));
    if (pthread_mutex_init(&pool->lock, NULL) != 0) {
        mem_free(&pool);
        return caelum_fail(err, CAELUM_ERESOURCE, "a lock can't be made");
    }
    pool->threads = parallel_threads(0);
    *out = pool;
    return CAELUM_OK;
}

static void close_pooled(struct pooled *p) {
    engine_close(&p->engine);
    caelum_net_close(&p->part);
    mem_free(&p);
}

void pool_clear(struct engine_pool *pool) {
    pthread_mutex_lock(&pool->lock);
    struct pooled *p = pool->kept;
    pool->kept = NULL;
    pthread_mutex_unlock(&pool->lock);
    while (p) {
        struct pooled *next = p->next;
        close_pooled(p);
        p = next;
    }
}

void pool_close(struct engine_pool **pool) {
    if (!*pool) return;
    pool_clear(*pool);
    pthread_mutex_destroy(&(*pool)->lock);
    mem_free(pool);
}

/* Takes a kept one out of the list, NULL if there is none of the kind. */
static struct pooled *find(struct engine_pool *pool, size_t layers, int threads) {
    if (!pool) return NULL;
    pthread_mutex_lock(&pool->lock);
    struct pooled **at = &pool->kept;
    while (*at && ((*at)->layers != layers || (*at)->threads != threads)) at = &(*at)->next;
    struct pooled *found = *at;
    if (found) *at = found->next;
    pthread_mutex_unlock(&pool->lock);
    return found;
}

static int make(struct pooled *p, struct caelum_error *err) {
    const struct caelum_model *model = p->model;
    if (p->layers < model->net->layers) CHECK(net_slice(&p->part, model->net, 0, p->layers, err));
    const struct caelum_net *net = p->part ? p->part : model->net;
    const struct engine_settings settings = {.task = caelum_net_task(model->net), .threads = p->threads};
    CHECK(engine_open(&p->engine, net, &settings, err));
    engine_pack(&p->engine, model->params);
    return CAELUM_OK;
}

int pool_take(struct pooled **out, const struct caelum_model *model, size_t layers, int threads,
              struct caelum_error *err) {
    threads = threads == 0 && model->pool ? model->pool->threads : parallel_threads(threads);
    *out = find(model->pool, layers, threads);
    if (*out) return CAELUM_OK;
    struct pooled *p = NULL;
    CHECK(mem_alloc(&p, 1, sizeof *p, err));
    p->model = model, p->layers = layers, p->threads = threads;
    const int result = make(p, err);
    if (result != 0)
        close_pooled(p);
    else
        *out = p;
    return result;
}

void pool_give(struct pooled **pooled) {
    struct pooled *p = *pooled, *last = NULL;
    *pooled = NULL;
    if (!p) return;
    struct engine_pool *pool = p->model->pool;
    if (!pool) {
        close_pooled(p);
        return;
    }
    p->engine.noise = false;
    pthread_mutex_lock(&pool->lock);
    p->next = pool->kept;
    pool->kept = p;
    const int most = pool->threads > KINDS ? pool->threads : KINDS;
    for (int kept = 1; p->next && kept < most; kept++) p = p->next;
    last = p->next; /* the oldest, where there are too many */
    p->next = NULL;
    pthread_mutex_unlock(&pool->lock);
    if (last) close_pooled(last);
}

int pool_run(const struct caelum_model *model, size_t layers, int threads, const struct engine_job *job,
             struct caelum_error *err) {
    struct pooled *pooled = NULL;
    CHECK(pool_take(&pooled, model, layers, threads, err));
    const int result = engine_run(&pooled->engine, job, err);
    pool_give(&pooled);
    return result;
}
