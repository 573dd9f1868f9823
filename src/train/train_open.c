/* train_open.c - whatever can be wrong with a run's data and network is found here, before anything is
 * written. */
#include "train/train_open.h"

#include "base/parallel.h"
#include "train/train_init.h"

static struct trainer_settings trainer_settings(const struct caelum_train_settings *s) {
    struct trainer_settings t = trainer_defaults(s->batch, s->lr, parallel_threads(s->threads));
    t.task = s->task;
    t.loss = s->loss;
    t.huber_delta = s->huber_delta;
    t.optimizer.kind = s->optimizer;
    t.optimizer.momentum = s->momentum;
    t.optimizer.weight_decay = s->weight_decay;
    t.clip = s->clip;
    t.ema = s->ema;
    t.shift = s->shift;
    return t;
}

int train_open(const struct caelum_train_settings *s, struct caelum_data **data, struct caelum_net **net,
               struct trainer *trainer, struct caelum_error *err) {
    struct caelum_data_settings data_settings = s->data_settings;
    const bool given = *net != NULL;
    data_settings.progress = s->stage;
    data_settings.cookie = s->cookie;
    CHECK(caelum_data_open(data, s->data, &data_settings, err));
    const struct pictures train = data_pictures(*data, CAELUM_TRAIN),
                          val = data_pictures(*data, CAELUM_VALIDATION);
    if (!given) CHECK(caelum_net_load(net, s->net_path, train.h, train.w, err));
    CHECK(task_check(s->task, *net, err));
    const struct shape takes = task_pictures(s->task, *net);
    if (takes.c != train.c || takes.h != train.h || takes.w != train.w)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: takes pictures of %zux%zux%zu, the data has %zux%zux%zu",
                           (*net)->file, takes.c, takes.h, takes.w, train.c, train.h, train.w);
    if (s->task == CAELUM_CLASSIFY) CHECK(task_check_classes(*net, &train, err));
    const struct trainer_settings settings = trainer_settings(s);
    CHECK(trainer_open(trainer, *net, &settings, val.n, s->seed, err));
    if (s->resume) return CAELUM_OK;
    return s->init ? train_init(trainer, s->init, err) : trainer_start(trainer, &train, err);
}
