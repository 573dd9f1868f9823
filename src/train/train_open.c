/* train_open.c - whatever can be wrong with a run's data and network is found here, before anything is
 * written. */
#include "train/train_open.h"

#include "train/train_init.h"

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
    CHECK(trainer_open(trainer, *net, s, val.n, err));
    if (s->resume) return CAELUM_OK;
    return s->init ? train_init(trainer, s->init, err) : trainer_start(trainer, &train, err);
}
