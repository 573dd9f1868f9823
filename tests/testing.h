/* testing.h - cmocka and what several tests share. */
#ifndef CAELUM_TESTS_TESTING_H
#define CAELUM_TESTS_TESTING_H

/* cmocka.h wants these first */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cpu.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/rng.h"
#include "kernels/kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Fails with the library's own sentence. */
#define assert_ok(call)                                                             \
    do {                                                                            \
        struct caelum_error ok_error_ = {0};                                        \
        struct caelum_error *const err = &ok_error_;                                \
        const int ok_code_ = (call);                                                \
        if (ok_code_ != 0) fail_msg("%s: %d: %s", #call, ok_code_, ok_error_.text); \
    } while (0)

/* Expects the code, and `words` in the sentence. */
#define assert_error(code, words, call)                                                             \
    do {                                                                                            \
        struct caelum_error bad_error_ = {0};                                                       \
        struct caelum_error *const err = &bad_error_;                                               \
        const int bad_code_ = (call);                                                               \
        if (bad_code_ != (code) || !strstr(bad_error_.text, words))                                 \
            fail_msg("%s: expected %d with '%s', got %d: %s", #call, (int)(code), words, bad_code_, \
                     bad_error_.text);                                                              \
    } while (0)

static inline void assert_near(double got, double want, double bound) {
    const double apart = got - want;
    if (!(apart <= bound && -apart <= bound)) fail_msg("got %.12g, want %.12g", got, want);
}

/* Lanes of the tensors made below: those of the kernels that were asked for last. */
static size_t lanes = MOST_LANES;

static inline const struct kernels *test_kernels(enum cpu_level level) {
    const struct kernels *kernels = kernels_get(level);
    lanes = kernels->lanes;
    return kernels;
}
/* Runs what follows for the kernels of every instruction set that this machine has. */
#define EACH_LEVEL(kernels)                                                                               \
    const struct kernels *kernels = NULL;                                                                 \
    for (int level_ = 0; level_ <= (int)cpu_detect() && (kernels = test_kernels((enum cpu_level)level_)); \
         level_++)

/* Gradients of n parameters, of lanes 8 to 15 too: all of them in the first n. */
static inline void test_fold(float *grads, size_t n) {
    for (size_t i = 0; lanes > SUM_LANES && i < n; i++) grads[i] += grads[n + i];
}

/* Floats of scratch, enough for each of Winograd's kernels. */
static inline size_t test_winograd_scratch(size_t c, size_t k) {
    return winograd_scratch(c, k) + winograd4_scratch(c, k) + winograd_dw_scratch(c, 2) +
           winograd_dw_scratch(c, 4);
}

/* Uniform in [-1, 1). */
static inline float test_random(struct rng *rng) {
    return 2 * rng_uniform(rng) - 1;
}

/* Of many alike cases a few; all of them in the long set, which CAELUM_LONG=1 asks for
 * (tests/CMakeLists.txt). */
static inline size_t test_cases(size_t few, size_t all) {
    return getenv("CAELUM_LONG") ? all : few;
}

/* Whether two files hold the same bytes; fails where one is not there. */
static inline bool same_bytes(const char *a, const char *b) {
    FILE *one = fopen(a, "rb"), *other = fopen(b, "rb");
    if (!one || !other) fail_msg("%s: is not there", one ? b : a);
    int c = 0, d = 0;
    while (c == d && c != EOF) c = getc_unlocked(one), d = getc_unlocked(other);
    fclose(one), fclose(other);
    return c == d;
}

static inline void copy_file(const char *from, const char *to) {
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    if (!in || !out) fail_msg("%s: can't be opened", in ? to : from);
    for (int c; (c = getc_unlocked(in)) != EOF;) putc_unlocked(c, out);
    fclose(in);
    if (fclose(out) != 0) fail_msg("%s: can't be written", to);
}

/* A fresh directory under the build directory, removed by test_remove. */
static inline void test_directory(char path[256]) {
    snprintf(path, 256, "%s/scratch-XXXXXX", BUILD_DIR);
    if (!mkdtemp(path)) fail_msg("%s: no scratch directory", path);
}
static inline void test_remove(const char *path) {
    char command[600];
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    if (system(command) != 0) fail_msg("%s", command);
}

/* The scratch directory of a group of tests, made and removed by the two, for cmocka_run_group_tests. */
static char test_root[256];
static inline int test_open_root(void **state) {
    (void)state;
    test_directory(test_root);
    return 0;
}
static inline int test_close_root(void **state) {
    (void)state;
    test_remove(test_root);
    return 0;
}
/* ROOT/NAME, until the next call. */
static inline const char *test_path(const char *name) {
    static char path[600];
    snprintf(path, sizeof path, "%s/%s", test_root, name);
    return path;
}

/* A tensor of its own, every float of it (border too) set to `fill`. */
static inline struct tensor test_tensor(size_t c, size_t h, size_t w, size_t pad, float fill) {
    struct tensor t = {.c = c, .h = h, .w = w, .step = lanes, .pad = pad};
    t.row = (w + 2 * pad) * lanes;
    t.plane = (h + 2 * pad) * t.row;
    float *memory = NULL;
    assert_ok(mem_alloc(&memory, c * t.plane, sizeof *memory, err));
    for (size_t i = 0; i < c * t.plane; i++) memory[i] = fill;
    t.data = memory + pad * (t.row + t.step);
    return t;
}
static inline void test_tensor_free(struct tensor *t) {
    float *memory = t->data - t->pad * (t->row + t->step);
    mem_free(&memory);
    t->data = NULL;
}
static inline void test_tensor_random(const struct tensor *t, struct rng *rng) {
    for (size_t c = 0; c < t->c; c++)
        for (size_t i = 0; i < t->h; i++)
            for (size_t j = 0; j < t->w * lanes; j++) tensor_at(t, c, (ptrdiff_t)i, 0)[j] = test_random(rng);
}
/* One lane as [c][h][w] doubles. */
static inline void test_lane(const struct tensor *t, size_t lane, double *out) {
    for (size_t c = 0; c < t->c; c++)
        for (size_t i = 0; i < t->h; i++)
            for (size_t j = 0; j < t->w; j++)
                *out++ = (double)tensor_at(t, c, (ptrdiff_t)i, (ptrdiff_t)j)[lane];
}
/* Whether the border still holds `fill` everywhere. */
static inline bool test_border(const struct tensor *t, float fill) {
    for (size_t c = 0; c < t->c; c++)
        for (ptrdiff_t i = -(ptrdiff_t)t->pad; i < (ptrdiff_t)(t->h + t->pad); i++)
            for (ptrdiff_t j = -(ptrdiff_t)t->pad; j < (ptrdiff_t)(t->w + t->pad); j++) {
                if (i >= 0 && j >= 0 && i < (ptrdiff_t)t->h && j < (ptrdiff_t)t->w) continue;
                for (size_t lane = 0; lane < lanes; lane++)
                    if (tensor_at(t, c, i, j)[lane] != fill) return false;
            }
    return true;
}

#endif
