/* train_init.c - whether two networks have the same parameters, and taking them over. */
#include "train/train_init.h"
#include "model/model.h"

#include <string.h>

/* The next layer with parameters from `i` on, or NULL. */
static const struct net_layer *with_parameters(const struct caelum_net *net, size_t *i) {
    while (*i < net->layers && net->layer[*i].count == 0) ++*i;
    return *i < net->layers ? &net->layer[(*i)++] : NULL;
}

/* Same kind of layer, same tensors in the same order. */
static bool same_tensors(const struct net_layer *a, const struct net_layer *b) {
    struct layer_tensor s, t;
    if (a->ops != b->ops || a->count != b->count) return false;
    for (size_t i = 0;; i++) {
        memset(&s, 0, sizeof s);
        memset(&t, 0, sizeof t);
        const bool more = a->ops->tensor(a->state, a->in, i, &s);
        if (more != (bool)b->ops->tensor(b->state, b->in, i, &t)) return false;
        if (!more) return true;
        if (s.dims != t.dims || memcmp(s.dim, t.dim, s.dims * sizeof *s.dim) != 0) return false;
    }
}

static int check(const struct caelum_net *net, const struct caelum_net *theirs, const char *path,
                 struct caelum_error *err) {
    static const char advice[] = "the weights of one don't fit the other";
    size_t i = 0, j = 0;
    for (;;) {
        const struct net_layer *a = with_parameters(net, &i), *b = with_parameters(theirs, &j);
        if (!a && !b) return CAELUM_OK;
        if (!b)
            return caelum_fail(err, CAELUM_EFORMAT,
                               "%.150s has no weights for '%s' in line %zu of %.150s: its network ends "
                               "before it; %s",
                               path, a->text, a->line, net->file, advice);
        if (!a)
            return caelum_fail(err, CAELUM_EFORMAT,
                               "%.150s has a layer '%s' more than %.150s, line %zu of its own text; %s", path,
                               b->text, net->file, b->line, advice);
        if (!same_tensors(a, b))
            return caelum_fail(err, CAELUM_EFORMAT,
                               "%.150s has '%s' (%s, %zu parameters) where %.150s, line %zu, has '%s' (%zu "
                               "parameters); %s",
                               path, b->text, b->name, b->count, net->file, a->line, a->text, a->count,
                               advice);
    }
}

int train_init(struct trainer *t, const char *path, struct caelum_error *err) {
    struct caelum_model *model = NULL;
    CHECK(caelum_model_load(&model, path, err));
    const int result = check(t->engine.net, model->net, path, err);
    if (result == 0) {
        memcpy(t->params, model->params, t->engine.net->params * sizeof *t->params);
        if (t->ema) memcpy(t->ema, model->params, t->engine.net->params * sizeof *t->ema);
        trainer_refresh(t);
    }
    caelum_model_close(&model);
    return result;
}
