/* page.c - what the browser page calls beside the library's own functions: structs of settings as plain
 * arguments, pictures as the browser has them, and a training whose batches are done one by one, so that the
 * worker that runs them can listen in between. Handles are pointers; a failure is NULL or a negative code,
 * and its sentence is in page_error. */
#include "anomaly/anomaly_gallery.h"
#include "apply/denoise.h"
#include "base/mem.h"
#include "image/image.h"
#include "model/pool.h"
#include "train/fit.h"
#include "train/klt.h"
#include "train/train_settings.h"

#include <stddef.h>
#include <string.h>

#define EXPORT(name) __attribute__((export_name(#name))) name

/* Where page/library.js reads what is in these structs. */
#define PLACE(type, member, offset) _Static_assert(offsetof(struct type, member) == offset, "page/library.js")
PLACE(caelum_error, text, 4);
PLACE(caelum_net_info, parameters, 16);
PLACE(caelum_net_info, bottleneck, 196);
PLACE(caelum_net_info, bottleneck_layer, 200);
PLACE(caelum_layer_info, channels, 96);
PLACE(caelum_layer_info, parameters, 108);
PLACE(caelum_layer_info, latent, 128);
PLACE(caelum_tensor, dims, 96);
PLACE(caelum_tensor, data, 116);
PLACE(caelum_hint, rgb, 8);
PLACE(caelum_epoch, loss, 8);
PLACE(caelum_epoch, psnr, 16);
PLACE(caelum_epoch, val_loss, 32);
PLACE(caelum_epoch, val_psnr, 40);
PLACE(caelum_epoch, pictures_per_second, 64);
PLACE(caelum_anomaly_info, good, 0);
PLACE(caelum_anomaly_info, false_alarms, 8);
PLACE(caelum_anomaly_info, threshold, 24);
PLACE(caelum_anomaly_verdict, score, 0);
PLACE(caelum_anomaly_verdict, p, 8);
PLACE(caelum_anomaly_verdict, bad, 16);
_Static_assert(sizeof(struct caelum_hint) == 12, "page/library.js");

static struct caelum_error error;

struct caelum_error *EXPORT(page_error)(void) {
    return &error;
}

void *EXPORT(page_alloc)(size_t size) {
    void *memory = NULL;
    (void)mem_alloc(&memory, size, 1, &error);
    return memory;
}
void EXPORT(page_free)(void *memory) {
    mem_free(&memory);
}

/* a * b + c, less what it is with a rounding in between, as this build's kernels do it: not 0 where they
 * fuse.
 */
float EXPORT(page_multiply_add)(float a, float b, float c) {
    float y[MOST_LANES] __attribute__((aligned(64))), x[MOST_LANES] __attribute__((aligned(64)));
    const volatile float product = a * b;
    for (size_t i = 0; i < MOST_LANES; i++) x[i] = a, y[i] = c;
    kernels_get(CPU_GENERIC)->add_scaled(y, x, b, MOST_LANES);
    return y[0] - (product + c);
}

/* --- Networks and models ------------------------------------------------------------------------------ */

caelum_net *EXPORT(page_net)(const char *text, const char *name, size_t height, size_t width) {
    caelum_net *net = NULL;
    (void)caelum_net_parse(&net, text, name, height, width, &error);
    return net;
}
void EXPORT(page_net_close)(caelum_net *net) {
    caelum_net_close(&net);
}
const struct caelum_net_info *EXPORT(page_net_info)(const caelum_net *net) {
    static struct caelum_net_info info;
    caelum_net_describe(net, &info);
    return &info;
}
const struct caelum_layer_info *EXPORT(page_layer)(const caelum_net *net, size_t i) {
    static struct caelum_layer_info info;
    caelum_net_layer(net, i, &info);
    return &info;
}

caelum_model *EXPORT(page_model)(const caelum_net *net, uint32_t seed) {
    caelum_model *model = NULL;
    (void)caelum_model_create(&model, net, seed, &error);
    return model;
}
void EXPORT(page_model_close)(caelum_model *model) {
    caelum_model_close(&model);
}
const struct caelum_tensor *EXPORT(page_tensor)(const caelum_model *model, size_t i) {
    static struct caelum_tensor tensor;
    return caelum_model_tensor(model, i, &tensor) ? &tensor : NULL;
}

/* The network from layer `layer` on, for numbers of one's own in place of what the layers before make. */
int EXPORT(page_decode)(const caelum_model *model, size_t layer, const float *numbers, float *out) {
    const struct caelum_net *net = model->net;
    struct caelum_net *part = NULL;
    caelum_model *decoder = NULL;
    CHECK(net_slice(&part, net, layer, net->layers, &error));
    int result = caelum_model_create(&decoder, part, 0, &error);
    if (result == 0) {
        memcpy(decoder->params, model->params + net->layer[layer].params, part->params * sizeof(float));
        result = caelum_model_run(decoder, part->layers, numbers, 1, out, &error);
    }
    caelum_model_close(&decoder);
    caelum_net_close(&part);
    return result;
}

/* --- Pictures ----------------------------------------------------------------------------------------- */

/* The browser's pictures have four bytes a pixel, which become three in their place, and four again. */
static struct caelum_picture take_rgba(uint8_t *pixels, size_t width, size_t height) {
    for (size_t i = 0; i < width * height; i++) memmove(pixels + 3 * i, pixels + 4 * i, 3);
    return (struct caelum_picture){.width = width, .height = height, .pixels = pixels};
}
static void to_rgba(const uint8_t *rgb, size_t n, uint8_t *pixels) {
    for (size_t i = 0; i < n; i++) {
        memcpy(pixels + 4 * i, rgb + 3 * i, 3);
        pixels[4 * i + 3] = 255;
    }
}
static void give_rgba(struct caelum_picture *picture, uint8_t *pixels) {
    to_rgba(picture->pixels, picture->width * picture->height, pixels);
    caelum_picture_free(picture);
}

/* Colors a picture, RGBA, in its place; settings are those of struct caelum_colorize_settings. */
int EXPORT(page_colorize)(const caelum_model *model, uint8_t *pixels, size_t width, size_t height,
                          double vivid, bool restore, const struct caelum_hint *hints, size_t hint_count) {
    const struct caelum_picture in = take_rgba(pixels, width, height);
    const struct caelum_colorize_settings settings = {
        .vivid = vivid, .restore = restore, .hints = hints, .hint_count = hint_count};
    struct caelum_picture out = {0};
    CHECK(caelum_colorize(model, &in, &settings, &out, &error));
    give_rgba(&out, pixels);
    return CAELUM_OK;
}

struct denoising {
    struct denoise job;
    uint8_t *pixels; /* of the picture that it takes the noise from */
};

void EXPORT(page_denoising_close)(struct denoising *d) {
    if (!d) return;
    denoise_end(&d->job);
    caelum_picture_free(&d->job.out);
    mem_free(&d->pixels);
    mem_free(&d);
}

/* Keeps the pixels, RGBA, and frees them, also where it fails; settings are those of struct
 * caelum_denoise_settings. */
struct denoising *EXPORT(page_denoising)(const caelum_model *model, uint8_t *pixels, size_t width,
                                         size_t height, double sigma, double strength) {
    const struct caelum_denoise_settings settings = {.sigma = sigma, .strength = strength};
    const struct caelum_picture in = take_rgba(pixels, width, height);
    struct denoising *d = NULL;
    if (mem_alloc(&d, 1, sizeof *d, &error) != 0) {
        mem_free(&pixels);
        return NULL;
    }
    *d = (struct denoising){.job = {.in = samples_of(&in)}, .pixels = pixels};
    if (image_allocate_like(&d->job.out, &in, &error) == 0 &&
        denoise_begin(&d->job, model, &settings, &error) == 0)
        return d;
    page_denoising_close(d);
    return NULL;
}
double EXPORT(page_denoising_sigma)(const struct denoising *d) {
    return (double)d->job.level * 255;
}
/* Does some of it; returns how many rows are done now. */
int EXPORT(page_denoising_round)(struct denoising *d) {
    size_t rows;
    CHECK(denoise_round(&d->job, &rows, &error));
    return (int)rows;
}
/* Rows that are done, as RGBA. */
void EXPORT(page_denoising_rows)(const struct denoising *d, size_t first, size_t count, uint8_t *pixels) {
    const size_t width = d->job.out.width;
    to_rgba(d->job.out.pixels + 3 * first * width, count * width, pixels);
}

/* --- Defects ------------------------------------------------------------------------------------------ */

/* Takes the models, also where it fails. `name` stands before errors. */
caelum_anomaly *EXPORT(page_anomaly)(caelum_model *fine, caelum_model *coarse, const char *name) {
    caelum_anomaly *anomaly = NULL;
    (void)anomaly_of(&anomaly, fine, coarse, name, &error);
    return anomaly;
}
void EXPORT(page_anomaly_close)(caelum_anomaly *anomaly) {
    caelum_anomaly_close(&anomaly);
}
const struct caelum_anomaly_info *EXPORT(page_anomaly_info)(const caelum_anomaly *anomaly) {
    static struct caelum_anomaly_info info;
    caelum_anomaly_describe(anomaly, &info);
    return &info;
}
/* Makes of a picture, RGBA, its heat map. NULL on failure. */
const struct caelum_anomaly_verdict *
EXPORT(page_anomaly_score)(const caelum_anomaly *anomaly, uint8_t *pixels, size_t width, size_t height) {
    static struct caelum_anomaly_verdict verdict;
    const struct caelum_picture in = take_rgba(pixels, width, height);
    struct caelum_picture heat = {0};
    float *map = NULL;
    int result = mem_alloc(&map, width * height, sizeof *map, &error);
    if (result == 0) result = caelum_anomaly_score(anomaly, &in, 1, map, &verdict, &error);
    if (result == 0) result = caelum_anomaly_heat(anomaly, &in, map, &heat, &error);
    if (result == 0) give_rgba(&heat, pixels);
    mem_free(&map);
    return result == 0 ? &verdict : NULL;
}

/* --- Training ----------------------------------------------------------------------------------------- */

/* COUNT generated pictures of SIZE x SIZE, "synthetic:COUNT:SIZE". */
caelum_data *EXPORT(page_data_synthetic)(const char *spec) {
    caelum_data *data = NULL;
    (void)caelum_data_open(&data, spec, NULL, &error);
    return data;
}
/* Pictures as planes, [count][channels][height][width], to be kept until the data are closed. */
caelum_data *EXPORT(page_data_pictures)(const uint8_t *pixels, size_t count, size_t channels, size_t height,
                                        size_t width) {
    const struct caelum_pictures pictures = {
        .pixels = pixels, .count = count, .channels = channels, .height = height, .width = width};
    caelum_data *data = NULL;
    (void)caelum_data_from_pictures(&data, &pictures, NULL, &error);
    return data;
}
void EXPORT(page_data_close)(caelum_data *data) {
    caelum_data_close(&data);
}
/* Picture i of a split as RGBA. */
int EXPORT(page_data_picture)(const caelum_data *data, int split, size_t i, uint8_t *pixels) {
    struct caelum_picture picture = {0};
    CHECK(caelum_data_picture(data, (enum caelum_split)split, i, &picture, &error));
    give_rgba(&picture, pixels);
    return CAELUM_OK;
}

/* The KLT of side x side blocks of the training pictures, at most `most` of them, by klt_fit: mean, then
 * basis. NULL on failure; else to be ended by page_free. */
double *EXPORT(page_klt)(const caelum_data *data, size_t side, size_t most) {
    struct pictures pictures = data_pictures(data, CAELUM_TRAIN);
    const size_t n = pictures.c * side * side;
    double *klt = NULL;
    if (pictures.n > most) pictures.n = most;
    if (mem_alloc(&klt, n * (n + 1), sizeof *klt, &error) == 0 &&
        klt_fit(&pictures, side, klt, klt + n, &error) == 0)
        return klt;
    mem_free(&klt);
    return NULL;
}

/* Settings of the next training: defaults, changed by name as in caelum_train_set. */
static struct caelum_train_settings settings;

void EXPORT(page_settings_reset)(void) {
    settings = caelum_train_defaults();
    settings.threads = 1;
}
int EXPORT(page_setting)(const char *name, const char *value) {
    return caelum_train_set(&settings, name, value, &error);
}

struct training {
    struct trainer trainer;
    struct fit fit;
    caelum_model *model; /* weights as they were when it was last asked for */
    /* what the page shows */
    struct {
        double epochs, batches_done, batches, loss, seconds;
    } state;
};

void EXPORT(page_training_close)(struct training *t) {
    if (!t) return;
    caelum_model_close(&t->model);
    fit_close(&t->fit);
    trainer_close(&t->trainer);
    mem_free(&t);
}

static int check_pictures(const caelum_net *net, const caelum_data *data) {
    const struct pictures p = data_pictures(data, CAELUM_TRAIN);
    CHECK(task_check(settings.task, net, &error));
    const struct shape takes = task_pictures(settings.task, net);
    if (takes.c == p.c && takes.h == p.h && takes.w == p.w) return CAELUM_OK;
    return caelum_fail(&error, CAELUM_EFORMAT, "%s: takes pictures of %zux%zux%zu, the data has %zux%zux%zu",
                       net->file, takes.c, takes.h, takes.w, p.c, p.h, p.w);
}

static int training_open(struct training *t, const caelum_net *net, const caelum_data *data) {
    const struct pictures train = data_pictures(data, CAELUM_TRAIN);
    CHECK(train_settings_check(&settings, &error));
    CHECK(check_pictures(net, data));
    CHECK(trainer_open(&t->trainer, net, &settings, caelum_data_count(data, CAELUM_VALIDATION), &error));
    CHECK(trainer_start(&t->trainer, &train, &error));
    CHECK(fit_open(&t->fit, &t->trainer, data, &error));
    CHECK(caelum_model_create(&t->model, net, 0, &error));
    return train_settings_write(&settings, t->model->metadata, &error);
}

/* Network and data stay the caller's, to be kept until the training is closed. */
struct training *EXPORT(page_training)(const caelum_net *net, const caelum_data *data) {
    struct training *t = NULL;
    if (mem_alloc(&t, 1, sizeof *t, &error) != 0 || training_open(t, net, data) == 0) return t;
    page_training_close(t);
    return NULL;
}

/* Starts from a model of the same network, in place of random weights. */
int EXPORT(page_training_start)(struct training *t, const caelum_model *model) {
    struct trainer *trainer = &t->trainer;
    const size_t params = trainer->engine.net->params;
    if (model->net->params != params)
        return caelum_fail(&error, CAELUM_EFORMAT, "the model has %zu weights, the network %zu",
                           model->net->params, params);
    memcpy(trainer->params, model->params, params * sizeof *model->params);
    trainer_refresh(trainer);
    return CAELUM_OK;
}

/* One batch; after the last of an epoch, validation. 0: more to come; 1: an epoch is done; 2: so is the run.
 */
int EXPORT(page_training_batch)(struct training *t) {
    struct fit *fit = &t->fit;
    if (fit_ended(fit)) return 2;
    if (fit->batches_done == 0) fit_begin_epoch(fit);
    CHECK(fit_batch(fit, &error));
    if (fit->batches_done < fit->batches) return 0;
    CHECK(fit_finish_epoch(fit, &error));
    return fit_ended(fit) ? 2 : 1;
}

/* Epochs done, batches done of the one under way, batches of an epoch, mean loss and seconds of this one. */
const void *EXPORT(page_training_state)(struct training *t) {
    const struct fit *fit = &t->fit;
    t->state.epochs = (double)fit->epochs_done;
    t->state.batches_done = (double)fit->batches_done;
    t->state.batches = (double)fit->batches;
    t->state.loss = fit->sums.loss / (double)(fit_pictures(fit) * trainer_terms(&t->trainer));
    t->state.seconds = fit->train_seconds;
    return &t->state;
}
const struct caelum_epoch *EXPORT(page_training_epoch)(const struct training *t, size_t i) {
    return &t->fit.history[i];
}

/* The model as it is now; the training's. */
caelum_model *EXPORT(page_training_model)(struct training *t) {
    caelum_model *model = t->model;
    pool_clear(model->pool);
    memcpy(model->params, trainer_result(&t->trainer), model->net->params * sizeof *model->params);
    return model;
}

/* --- A finder of defects, trained --------------------------------------------------------------------- */

int anomaly_network(const struct caelum_anomaly_settings *s, size_t scale,
                    struct caelum_train_settings *training, caelum_model **model, struct caelum_error *err) {
    (void)s, (void)scale, (void)err; /* err is that of this file */
    settings = *training;
    struct training *t = page_training(training->net, training->open_data);
    int done = t ? 0 : error.code;
    while (done >= 0 && done < 2) {
        const size_t epoch = t->fit.epochs_done;
        done = page_training_batch(t);
        const struct caelum_train_progress progress = {
            .epoch = epoch + 1, .batch = t->fit.batches_done, .batches = t->fit.batches};
        if (done == 0) training->progress(training->cookie, &progress);
        if (done > 0 && t->fit.history[epoch].best) (void)page_training_model(t);
    }
    if (done >= 0) *model = t->model, t->model = NULL;
    page_training_close(t);
    return done < 0 ? done : CAELUM_OK;
}

/* For `room` pictures. */
struct gallery *EXPORT(page_gallery)(size_t room) {
    struct gallery *g = NULL;
    if (mem_alloc(&g, 1, sizeof *g, &error) != 0 || gallery_begin(g, room, &error) == 0) return g;
    gallery_close(g);
    mem_free(&g);
    return NULL;
}
/* Adds a picture, RGBA, whose pixels are not what they were then. */
int EXPORT(page_gallery_add)(struct gallery *g, uint8_t *pixels, size_t width, size_t height) {
    const struct caelum_picture in = take_rgba(pixels, width, height);
    return gallery_add(g, &in, caelum_anomaly_defaults().size, false, &error);
}

__attribute__((import_module("page"), import_name("progress"))) void page_progress(const char *stage,
                                                                                   double done, double total);
static int tell(void *cookie, const char *stage, size_t done, size_t total) {
    (void)cookie;
    page_progress(stage, (double)done, (double)total);
    return 0;
}

/* Ends the gallery. */
caelum_anomaly *EXPORT(page_anomaly_train)(struct gallery *g, size_t steps, double false_alarms) {
    struct caelum_anomaly_settings s = caelum_anomaly_defaults();
    caelum_anomaly *anomaly = NULL;
    s.steps = steps, s.false_alarms = false_alarms, s.progress = tell;
    if (anomaly_check(&s, &error) == 0 && gallery_map(g, &error) == 0)
        (void)anomaly_learn(&anomaly, g, &s, &error);
    gallery_close(g);
    mem_free(&g);
    return anomaly;
}
const caelum_model *EXPORT(page_anomaly_model)(const caelum_anomaly *anomaly, size_t scale) {
    return anomaly->model[scale];
}
const caelum_net *EXPORT(page_model_net)(const caelum_model *model) {
    return model->net;
}
