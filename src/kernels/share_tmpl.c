/* share_tmpl.c - kernels that the threads of a team do together (base/team.h): each takes some rows, or some
 * channels, of the result. What is computed for a pixel or a weight does not depend on who does it, so
 * neither do the bits. */

/* Multiply-adds of a convolution from or to all channels of t; the rest is measured in them, roughly. */
static size_t conv_work(const struct tensor *t, size_t channels, size_t taps) {
    return t->c * t->h * t->w * channels * taps * (LANES / VW);
}

/* --- Convolutions --------------------------------------------------------------------------------- */

static void conv_part(const void *cookie, size_t member, size_t members) {
    struct conv_job job = *(const struct conv_job *)cookie;
    const bool by_rows = job.y.h >= members;
    const struct span s = span_of(by_rows ? job.y.h : job.y.c, by_rows ? 1 : CONV_GROUP, member, members);
    if (s.count == 0) return;
    if (by_rows) {
        job.x = rows_of(job.x, s.first * job.shape.stride, job.x.h);
        job.y = rows_of(job.y, s.first, s.count);
    } else {
        job.y = channels_of(job.y, s);
        job.w += s.first * job.x.c * job.shape.kh * job.shape.kw;
        if (job.bias) job.bias += s.first;
    }
    FN(conv)(&job);
}

static void FN(shared_conv)(const struct conv_job *job) {
    team_run(conv_part, job, conv_work(&job->y, job->x.c, job->shape.kh * job->shape.kw));
}

/* Output channels in groups of four where there are plenty. */
static struct span kernels_of(size_t channels, size_t member, size_t members) {
    return span_of(channels, channels >= 4 * members ? 4 : 1, member, members);
}

static void conv_dw_part(const void *cookie, size_t member, size_t members) {
    struct conv_dw_job job = *(const struct conv_dw_job *)cookie;
    const struct span s = kernels_of(job.dy.c, member, members);
    job.dw += s.first * job.x.c * job.shape.kh * job.shape.kw;
    job.dy = channels_of(job.dy, s);
    if (s.count > 0) FN(conv_dw)(&job);
}

static void FN(shared_conv_dw)(const struct conv_dw_job *job) {
    team_run(conv_dw_part, job, conv_work(&job->dy, job->x.c, job->shape.kh * job->shape.kw));
}

struct db_job {
    const struct tensor *dy;
    float *db;
    size_t next;
};

static void conv_db_part(const void *cookie, size_t member, size_t members) {
    const struct db_job *job = cookie;
    const struct span s = kernels_of(job->dy->c, member, members);
    const struct tensor dy = channels_of(*job->dy, s);
    if (s.count > 0) FN(conv_db)(&dy, job->db + s.first, job->next);
}

static void FN(shared_conv_db)(const struct tensor *dy, float *db, size_t next) {
    const struct db_job job = {dy, db, next};
    team_run(conv_db_part, &job, conv_work(dy, 1, 1));
}

/* --- With scratch: each member has its own ---------------------------------------------------------- */

struct scratch_job {
    const void *job; /* a conv_job or a conv_dw_job */
    float *scratch;
};

/* Rows of tiles, or output channels where there are too few, though then each member transforms all input. */
static void winograd_part(const void *cookie, size_t member, size_t members) {
    const struct scratch_job *all = cookie;
    struct conv_job job = *(const struct conv_job *)all->job;
    const size_t kernels = job.y.c, scratch = member * winograd_scratch(job.x.c, kernels);
    const bool by_rows = job.y.h >= 2 * members;
    const struct span s = span_of(by_rows ? job.y.h : kernels, by_rows ? 2 : CONV_GROUP, member, members);
    if (s.count == 0) return;
    if (by_rows) {
        job.x = rows_of(job.x, s.first, job.x.h);
        job.y = rows_of(job.y, s.first, s.count);
    } else {
        job.y = channels_of(job.y, s);
        job.w += s.first * job.x.c;
        if (job.bias) job.bias += s.first;
    }
    FN(winograd)(&job, kernels * job.x.c, all->scratch + scratch);
}

static void FN(shared_winograd)(const struct conv_job *job, float *scratch) {
    const struct scratch_job all = {job, scratch};
    team_run(winograd_part, &all, conv_work(&job->y, job->x.c, 4));
}

static void upconv_part(const void *cookie, size_t member, size_t members) {
    const struct scratch_job *all = cookie;
    struct conv_job job = *(const struct conv_job *)all->job;
    const struct span s = span_of(job.x.h, 1, member, members);
    job.x = rows_of(job.x, s.first, s.count);
    job.y = rows_of(job.y, 2 * s.first, 2 * s.count);
    if (s.count > 0) FN(upconv)(&job, all->scratch + member * upconv_scratch(job.x.c, job.y.c, job.x.w));
}

static void FN(shared_upconv)(const struct conv_job *job, float *scratch) {
    const struct scratch_job all = {job, scratch};
    team_run(upconv_part, &all, conv_work(&job->x, job->y.c, 9));
}

static void upconv_dx_part(const void *cookie, size_t member, size_t members) {
    const struct scratch_job *all = cookie;
    struct conv_job job = *(const struct conv_job *)all->job;
    const struct span s = span_of(job.y.h, 1, member, members);
    job.x = rows_of(job.x, 2 * s.first, 2 * s.count);
    job.y = rows_of(job.y, s.first, s.count);
    if (s.count > 0) FN(upconv_dx)(&job, all->scratch + member * upconv_scratch(job.y.c, job.x.c, job.y.w));
}

static void FN(shared_upconv_dx)(const struct conv_job *job, float *scratch) {
    const struct scratch_job all = {job, scratch};
    team_run(upconv_dx_part, &all, conv_work(&job->y, job->x.c, 9));
}

static void upconv_dw_part(const void *cookie, size_t member, size_t members) {
    const struct scratch_job *all = cookie;
    struct conv_dw_job job = *(const struct conv_dw_job *)all->job;
    const size_t scratch = upconv_scratch(job.x.c, job.dy.c, job.x.w);
    const struct span s = kernels_of(job.dy.c, member, members);
    job.dw += s.first * job.x.c * 9;
    job.dy = channels_of(job.dy, s);
    if (s.count > 0) FN(upconv_dw)(&job, all->scratch + member * scratch);
}

static void FN(shared_upconv_dw)(const struct conv_dw_job *job, float *scratch) {
    const struct scratch_job all = {job, scratch};
    team_run(upconv_dw_part, &all, conv_work(&job->x, job->dy.c, 9));
}

/* --- Pixel by pixel, window by window --------------------------------------------------------------- */

struct pixels_job {
    const struct tensor *a, *b, *c, *d;
    union {
        enum activation act;
        size_t size;
    };
};

static void act_part(const void *cookie, size_t member, size_t members) {
    const struct pixels_job *job = cookie;
    const struct span s = span_of(job->a->h, 1, member, members);
    const struct tensor x = rows_of(*job->a, s.first, s.count), y = rows_of(*job->b, s.first, s.count);
    FN(act)(&x, &y, job->act);
}

static void FN(shared_act)(const struct tensor *x, const struct tensor *y, enum activation act) {
    const struct pixels_job job = {.a = x, .b = y, .act = act};
    team_run(act_part, &job, conv_work(x, 8, 1));
}

static void act_grad_part(const void *cookie, size_t member, size_t members) {
    const struct pixels_job *job = cookie;
    const struct span s = span_of(job->a->h, 1, member, members);
    const struct tensor at = rows_of(*job->a, s.first, s.count), dy = rows_of(*job->b, s.first, s.count);
    FN(act_grad)(&at, &dy, job->act);
}

static void FN(shared_act_grad)(const struct tensor *at, const struct tensor *dy, enum activation act) {
    const struct pixels_job job = {.a = at, .b = dy, .act = act};
    team_run(act_grad_part, &job, conv_work(dy, 4, 1));
}

/* A kernel of two or four tensors with the same channels, and a size; each member takes some channels. */
#define SHARED_BY_CHANNELS_2(name)                                                               \
    static void name##_part(const void *cookie, size_t member, size_t members) {                 \
        const struct pixels_job *job = cookie;                                                   \
        const struct span s = span_of(job->a->c, 1, member, members);                            \
        const struct tensor a = channels_of(*job->a, s), b = channels_of(*job->b, s);            \
        FN(name)(&a, &b, job->size);                                                             \
    }                                                                                            \
    static void FN(shared_##name)(const struct tensor *a, const struct tensor *b, size_t size) { \
        const struct pixels_job job = {.a = a, .b = b, .size = size};                            \
        team_run(name##_part, &job, conv_work(a, 4, 1));                                         \
    }
SHARED_BY_CHANNELS_2(maxpool)
SHARED_BY_CHANNELS_2(avgpool)
SHARED_BY_CHANNELS_2(avgpool_grad)
SHARED_BY_CHANNELS_2(upsample)
SHARED_BY_CHANNELS_2(upsample_grad)
#undef SHARED_BY_CHANNELS_2

static void maxpool_grad_part(const void *cookie, size_t member, size_t members) {
    const struct pixels_job *job = cookie;
    const struct span s = span_of(job->a->c, 1, member, members);
    const struct tensor x = channels_of(*job->a, s), y = channels_of(*job->b, s),
                        dy = channels_of(*job->c, s), dx = channels_of(*job->d, s);
    FN(maxpool_grad)(&x, &y, &dy, &dx, job->size);
}

static void FN(shared_maxpool_grad)(const struct tensor *x, const struct tensor *y, const struct tensor *dy,
                                    const struct tensor *dx, size_t size) {
    const struct pixels_job job = {x, y, dy, dx, .size = size};
    team_run(maxpool_grad_part, &job, conv_work(x, 4, 1));
}
