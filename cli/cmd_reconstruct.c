/* cmd_reconstruct.c - caelum reconstruct: pictures of any size through a model, one PNG each. */
#include "cli.h"

#include <math.h>
#include <stdio.h>

/* PSNR in dB between two pictures of one size. */
static double psnr(const struct caelum_picture *a, const struct caelum_picture *b) {
    const size_t n = a->width * a->height * 3;
    double squared = 0;
    for (size_t i = 0; i < n; i++) {
        const double d = ((double)a->pixels[i] - b->pixels[i]) / 255;
        squared += d * d;
    }
    return -10 * log10(squared / (double)n);
}

struct job {
    const char *dir;
    int threads;
    bool force;
    size_t side; /* of the model's pictures */
    caelum_model *model;
    struct inputs inputs;
};

static int one_picture(void *cookie, size_t i, struct caelum_picture pictures[PICTURES],
                       struct caelum_error *err) {
    struct job *job = cookie;
    struct caelum_picture *in = &pictures[0], *out = &pictures[1];
    char path[PATH_SIZE], stem[NAME_SIZE];
    path_stem(job->inputs.list[i].path, stem, sizeof stem);
    CHECK(path_result(job->dir, stem, ".png", path, sizeof path, err));
    CHECK(inputs_claim(&job->inputs, i, path, job->force, err));
    CHECK(input_load(&job->inputs.list[i], in, err));
    CHECK(caelum_reconstruct(job->model, in, job->threads, out, err));
    CHECK(caelum_picture_save(out, path, err));
    inputs_wrote(&job->inputs, i, path);
    progress_clear();
    const bool whole = in->width == job->side && in->height == job->side,
               small = in->width < job->side || in->height < job->side;
    if (!display.quiet)
        printf("%s  %zux%zu  %.2f dB%s\n", path, in->width, in->height, psnr(in, out),
               whole   ? ""
               : small ? "  (extended by mirroring)"
                       : "  (overlapping tiles)");
    return 0;
}

static const struct caelum_option rows[] = {
    OPTION(STRING, struct job, 'o', "out", dir, "DIR", "directory for the pictures, as PNG; made if missing"),
    OPTION(FLAG, struct job, 0, "force", force, NULL, "overwrite existing pictures"),
    OPTION(THREADS, struct job, 't', "threads", threads, "N", THREADS_HELP), END_OF_OPTIONS};

static int run(void *values, int n, char **words, struct caelum_error *err) {
    struct job *job = values;
    struct caelum_net_info info;
    if (n < 2 || !job->dir)
        return usage_error("reconstruct", "expected MODEL, pictures or folders, and -o DIR");
    CHECK(inputs_open(&job->inputs, words + 1, n - 1, NULL, err));
    CHECK(model_open(&job->model, words[0], NULL, err));
    CHECK(file_make_directory(job->dir, err));
    caelum_net_describe(caelum_model_net(job->model), &info);
    job->side = info.height;
    return each("reconstructing", "reconstructed", job->inputs.count, one_picture, job);
}

COMMAND(reconstruct, "MODEL PICTURE...", "run pictures of any size through a model",
        "caelum reconstruct runs/first/best.safetensors photo.jpg -o out", .rows = rows, .display = true,
        .size = sizeof(struct job), .run = run);
