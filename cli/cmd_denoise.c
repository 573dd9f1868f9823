/* cmd_denoise.c - caelum denoise: pictures of any size without their noise. */
#include "cli.h"

#include "base/json.h"

#include <stdio.h>
#include <string.h>

struct job {
    const char *model_path;
    struct caelum_denoise_settings settings;
    struct results results;
    caelum_model *model;
};

static void tell(const struct job *job, const char *input, const char *path, const struct caelum_picture *out,
                 double sigma) {
    progress_clear();
    if (job->results.json)
        print_json(JSON({"input", json_bytes(input)}, {"output", json_bytes(path)},
                        {"width", json_size(out->width)}, {"height", json_size(out->height)},
                        {"sigma", json_number(sigma)}, {"estimated", json_boolean(job->settings.sigma < 0)}));
    else if (!display.quiet && strcmp(path, "-") != 0)
        printf("%s  %zux%zu  noise %.1f%s\n", path, out->width, out->height, sigma,
               job->settings.sigma < 0 ? " (estimated)" : "");
    if (job->settings.sigma < 0 && sigma >= CAELUM_MOST_NOISE)
        warn("%s: the noise is stronger than the %g of 255 that can be taken out", input, CAELUM_MOST_NOISE);
}

static int one_picture(void *cookie, size_t i, struct caelum_picture pictures[PICTURES],
                       struct caelum_error *err) {
    struct job *job = cookie;
    struct caelum_picture *in = &pictures[0], *out = &pictures[1];
    const struct input *input = &job->results.inputs.list[i];
    char path[PATH_SIZE];
    double sigma;
    CHECK(result_path(&job->results, i, path, err));
    CHECK(input_load(input, in, err));
    const int result = caelum_denoise(job->model, in, &job->settings, out, &sigma, err);
    if (result != 0) return caelum_fail_in(err, result, "%.300s", input->path);
    CHECK(result_write(&job->results, i, path, out, err));
    tell(job, input->path, path, out, sigma);
    return 0;
}

static const struct caelum_option rows[] = {
    OPTION(STRING, struct job, 'o', "out", results.out, "DIR",
           "directory for the results, made if missing; default: that of each picture, as NAME-denoised"),
    OPTION(STRING, struct job, 'm', "model", model_path, "FILE",
           "denoiser; default: the one that comes with the program"),
    OPTION(REAL, struct job, 0, "sigma", settings.sigma, "S",
           "standard deviation of the noise, 0 to 55 of 255; -1: estimate it from each picture"),
    OPTION(REAL, struct job, 0, "strength", settings.strength, "X",
           "share of the noise that is taken out, 0 to 1; less keeps grain"),
    RESULT_OPTIONS(struct job),
    END_OF_OPTIONS};

static void defaults(void *values) {
    struct job *job = values;
    job->settings = caelum_denoise_defaults();
}

static int run(void *values, int n, char **words, struct caelum_error *err) {
    struct job *job = values;
    if (n < 1) return usage_error("denoise", "expected pictures, folders or - for standard input");
    signals_catch();
    CHECK(results_open(&job->results, words, n, "-denoised", err));
    CHECK(model_open(&job->model, job->model_path, "denoiser.safetensors", err));
    CHECK(results_begin(&job->results, err));
    return each("denoising", "denoised", job->results.inputs.count, one_picture, job);
}

COMMAND(denoise, "PICTURE...", "take the noise out of pictures of any size",
        "caelum denoise night.jpg -o out", .rows = rows, .display = true, .size = sizeof(struct job),
        .defaults = defaults, .run = run);
