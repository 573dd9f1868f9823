/* train_open.c - whatever can be wrong with a run's data and network is found here, before anything is
 * written. */
#include "train/train_open.h"

#include "model/model.h"

#include <string.h>

/* --- Starting from a model ------------------------------------------------------------------------ */

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

/* Gives the trainer the weights of the model at `path`. What has no parameters may differ between the two
 * networks: activations, noise, the size of the pictures. Fails as loading a model does, or with
 * CAELUM_EFORMAT, naming the first layer that differs; the trainer is then as it was. */
static int take_weights(struct trainer *t, const char *path, struct caelum_error *err) {
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

/* --- Opening -------------------------------------------------------------------------------------- */

/* Why a network and pictures with other channels don't fit, and what would. */
static const char *advice(const struct caelum_train_settings *s, size_t takes, size_t channels) {
    if (takes == 3 && channels == 1)
        return s->task == CAELUM_COLORIZE ? ": they are grey, and nothing can be learned of their colors"
                                          : ": they are grey, for which a network says 'input 1'";
    return takes == 1 && channels == 3 ? ": they have colors, for which a network says 'input 3'" : "";
}

static int open_data(struct caelum_train_settings *s, struct caelum_data **data, struct caelum_error *err) {
    struct caelum_data_settings data_settings = s->data_settings;
    data_settings.progress = s->stage;
    data_settings.cookie = s->cookie;
    CHECK(caelum_data_open(data, s->data, &data_settings, err));
    s->open_data = *data;
    return CAELUM_OK;
}

static int open_net(const struct caelum_train_settings *s, const struct pictures *p, struct caelum_net **net,
                    struct caelum_error *err) {
    if (s->net) return caelum_net_parse(net, s->net->text, s->net->file, p->h, p->w, err);
    if (s->net_path) return caelum_net_load(net, s->net_path, p->h, p->w, err);
    return caelum_fail(err, CAELUM_EUSAGE, "no network was given to train");
}

int train_open(struct caelum_train_settings *s, struct caelum_data **data, struct caelum_net **net,
               struct trainer *trainer, struct caelum_error *err) {
    if (!s->open_data) CHECK(open_data(s, data, err));
    s->data_settings = s->open_data->settings;
    const struct pictures train = data_pictures(s->open_data, CAELUM_TRAIN),
                          val = data_pictures(s->open_data, CAELUM_VALIDATION);
    if (!*net) CHECK(open_net(s, &train, net, err));
    CHECK(task_check(s->task, *net, err));
    const struct shape takes = task_pictures(s->task, *net);
    if (takes.c != train.c || takes.h != train.h || takes.w != train.w)
        return caelum_fail(err, CAELUM_EFORMAT,
                           "%s: takes pictures of %zux%zux%zu, the data has %zux%zux%zu%s", (*net)->file,
                           takes.c, takes.h, takes.w, train.c, train.h, train.w, advice(s, takes.c, train.c));
    if (s->task == CAELUM_CLASSIFY) CHECK(task_check_classes(*net, &train, err));
    CHECK(trainer_open(trainer, *net, s, val.n, err));
    if (s->resume) return CAELUM_OK;
    return s->init ? take_weights(trainer, s->init, err) : trainer_start(trainer, &train, err);
}
