/* loss_tmpl.c - losses: the cost of one output value, and its slope. Squared errors and agreeing
 * pixels are counted for every loss, so that figures can be compared between losses. A row is summed in
 * float, lane by lane, rows in double. */

/* Outputs as binary cross-entropy sees them: kept off 0 and 1, where the logarithm ends, as Keras does. */
INLINE vf probability(vf y) {
    const vf lo = splat(1e-7f), hi = splat(1.0f - 1e-7f);
    y = pick(y < lo, lo, y);
    return pick(y > hi, hi, y);
}

/* |x| */
INLINE vf magnitude(vf x) {
    return (vf)((vi)x & 0x7fffffff);
}

INLINE vf loss_value(vf y, vf t, vf e, float delta, const enum caelum_loss loss) {
    switch (loss) {
    case CAELUM_BCE: {
        /* -(t ln p + (1 - t) ln(1 - p)), from the larger share towards the smaller: one product, and no
         * cancellation where t is 0 or 1 */
        const vf p = probability(y), yes = vlog(p), no = vlog(1.0f - p);
        const vi most = t > 0.5f;
        const vf base = pick(most, yes, no), other = pick(most, no, yes), share = pick(most, 1.0f - t, t);
        return -(base + share * (other - base));
    }
    case CAELUM_L1:
        return magnitude(e);
    case CAELUM_HUBER: {
        const vf a = magnitude(e), inner = pick(a > delta, splat(delta), a);
        return inner * (a - inner * 0.5f);
    }
    default:
        return e * e;
    }
}

INLINE vf loss_slope(vf y, vf t, vf e, float delta, const enum caelum_loss loss) {
    switch (loss) {
    case CAELUM_BCE: {
        const vf p = probability(y);
        return (vf)((vi)((p - t) / (p * (1.0f - p))) & ((p == y) | (y != y)));
    }
    case CAELUM_L1:
        return pick(e > 0, splat(1.0f), pick(e < 0, splat(-1.0f), e));
    case CAELUM_HUBER: {
        const vf top = splat(delta), bottom = splat(-delta);
        return pick(e > top, top, pick(e < bottom, bottom, e));
    }
    default:
        return e + e;
    }
}

/* One row of one channel: each lane's loss and squared error into its own sums, and the gradient. */
INLINE void loss_row(const struct loss_job *job, size_t c, size_t i, size_t part, vi live, double *total,
                     double *squared, const enum caelum_loss loss) {
    const float *y = tensor_at(&job->y, c, (ptrdiff_t)i, 0) + part;
    const float *t = tensor_at(&job->t, c, (ptrdiff_t)i, 0) + part;
    float *dy = job->dy.data ? tensor_at(&job->dy, c, (ptrdiff_t)i, 0) + part : NULL;
    vf sum = {0}, squares = {0};
    for (size_t j = 0; j < job->y.w; j++) {
        const vf vy = load(y + j * job->y.step), vt = load(t + j * job->t.step);
        const vf e = (vf)((vi)(vy - vt) & live);
        squares += e * e;
        if (loss != CAELUM_MSE) sum += (vf)((vi)loss_value(vy, vt, e, job->delta, loss) & live);
        if (dy) {
            const vf slope = (vf)((vi)loss_slope(vy, vt, e, job->delta, loss) & live);
            save(dy + j * job->dy.step, slope * job->scale);
        }
    }
    for (size_t lane = 0; lane < VW; lane++) {
        squared[part + lane] += (double)squares[lane];
        total[part + lane] += (double)(loss == CAELUM_MSE ? squares[lane] : sum[lane]);
    }
}

/* One row of all channels of XENT. With m a pixel's largest channel and s the sum of e^(y - m),
 * -ln p = ln s - (y - m): no power overflows, and s is from 1 to the number of channels. */
INLINE void xent_row(const struct loss_job *job, size_t i, size_t part, vi live, double *total,
                     double *squared) {
    vf sum = {0}, squares = {0};
    for (size_t j = 0; j < job->y.w; j++) {
        const float *y = tensor_at(&job->y, 0, (ptrdiff_t)i, (ptrdiff_t)j) + part;
        const float *t = tensor_at(&job->t, 0, (ptrdiff_t)i, (ptrdiff_t)j) + part;
        float *dy = job->dy.data ? tensor_at(&job->dy, 0, (ptrdiff_t)i, (ptrdiff_t)j) + part : NULL;
        vf most = load(y), powers = {0};
        for (size_t c = 1; c < job->y.c; c++) {
            const vf vy = load(y + c * job->y.plane);
            most = pick(vy > most, vy, most);
        }
        for (size_t c = 0; c < job->y.c; c++) powers += vexp(load(y + c * job->y.plane) - most);
        const vf log_powers = vlog(powers);
        for (size_t c = 0; c < job->y.c; c++) {
            const vf vy = load(y + c * job->y.plane), vt = load(t + c * job->t.plane), below = vy - most;
            const vf e = (vf)((vi)(vy - vt) & live);
            squares += e * e;
            sum += (vf)((vi)(vt * (log_powers - below)) & live);
            if (dy) {
                const vf slope = (vf)((vi)(vexp(below) / powers - vt) & live);
                save(dy + c * job->dy.plane, slope * job->scale);
            }
        }
    }
    for (size_t lane = 0; lane < VW; lane++) {
        squared[part + lane] += (double)squares[lane];
        total[part + lane] += (double)sum[lane];
    }
}

/* Pixels of one row at which the first largest channels of y and t are the same. */
INLINE void agree_row(const struct loss_job *job, size_t i, size_t part, vi live, int32_t *agree) {
    const float *y = tensor_at(&job->y, 0, (ptrdiff_t)i, 0) + part;
    const float *t = tensor_at(&job->t, 0, (ptrdiff_t)i, 0) + part;
    vi count = {0};
    for (size_t j = 0; j < job->y.w; j++) {
        vf most_y = load(y + j * job->y.step), most_t = load(t + j * job->t.step);
        vi at_y = {0}, at_t = {0};
        for (size_t c = 1; c < job->y.c; c++) {
            const vf vy = load(y + c * job->y.plane + j * job->y.step);
            const vf vt = load(t + c * job->t.plane + j * job->t.step);
            const vi more_y = vy > most_y, more_t = vt > most_t;
            at_y = (at_y & ~more_y) | (more_y & (int32_t)c);
            at_t = (at_t & ~more_t) | (more_t & (int32_t)c);
            most_y = pick(more_y, vy, most_y);
            most_t = pick(more_t, vt, most_t);
        }
        count -= (at_y == at_t) & live; /* a true lane is -1 */
    }
    for (size_t lane = 0; lane < VW; lane++) agree[part + lane] += count[lane];
}

INLINE void loss_all(const struct loss_job *job, const enum caelum_loss loss) {
    double total[LANES] = {0}, squared[LANES] = {0};
    int32_t agree[LANES] = {0};
    for (size_t part = 0; part < LANES; part += VW) {
        vi live;
        for (size_t lane = 0; lane < VW; lane++) live[lane] = part + lane < job->live ? -1 : 0;
        for (size_t i = 0; i < job->y.h; i++) {
            if (loss == CAELUM_XENT) xent_row(job, i, part, live, total, squared);
            for (size_t c = 0; loss != CAELUM_XENT && c < job->y.c; c++)
                loss_row(job, c, i, part, live, total, squared, loss);
            agree_row(job, i, part, live, agree);
        }
    }
    memset(job->sums, 0, LANES / SUM_LANES * sizeof *job->sums);
    for (size_t lane = 0; lane < LANES; lane++) {
        struct loss_sums *sums = &job->sums[lane / SUM_LANES];
        sums->loss += total[lane];
        sums->squared += squared[lane];
        sums->agree += agree[lane];
    }
}

static void FN(loss)(const struct loss_job *job) {
    switch (job->loss) {
    case CAELUM_MSE:
        loss_all(job, CAELUM_MSE);
        break;
    case CAELUM_BCE:
        loss_all(job, CAELUM_BCE);
        break;
    case CAELUM_L1:
        loss_all(job, CAELUM_L1);
        break;
    case CAELUM_HUBER:
        loss_all(job, CAELUM_HUBER);
        break;
    case CAELUM_XENT:
        loss_all(job, CAELUM_XENT);
        break;
    }
}
