/* results.c - where the pictures go that commands make of pictures: into a directory, beside them, or to
 * standard output. */
#include "cli.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *const picture_formats[] = {"png", "jpg", "webp", NULL};

/* Whether a picture's result goes to standard output: one that no file holds has no place beside it. */
static bool is_piped(const struct results *r, size_t i) {
    return r->inputs.list[i].piped && !r->out;
}

/* Standard output holds one picture, and nothing besides. Nobody can read its bytes on a terminal, and some
 * of them would change how it works. */
static int check(const struct results *r, struct caelum_error *err) {
    bool piped = false;
    for (size_t i = 0; i < r->inputs.count; i++) piped |= is_piped(r, i);
    if (!piped) return 0;
    const char *why = NULL;
    if (r->inputs.count > 1)
        why = "the result for a pipe would go to standard output, among the messages on the others; name a "
              "directory for all of them by -o";
    else if (r->json)
        why = "the picture would go to standard output, where --json prints; name a directory for it by -o";
    else if (isatty(1) && !r->force)
        why = "the picture would go to the terminal; send it into a file by '> FILE', or insist by --force";
    return why ? caelum_fail(err, CAELUM_EUSAGE, "%s", why) : 0;
}

int results_open(struct results *r, char **words, int n, const char *beside, struct caelum_error *err) {
    r->beside = beside;
    CHECK(inputs_open(&r->inputs, words, n, beside, err));
    return check(r, err);
}

int results_begin(const struct results *r, struct caelum_error *err) {
    return r->out ? file_make_directory(r->out, err) : 0;
}

int result_path(const struct results *r, size_t i, char path[PATH_SIZE], struct caelum_error *err) {
    const char *input = r->inputs.list[i].path;
    char stem[NAME_SIZE], ending[32], dir[PATH_SIZE];
    snprintf(path, PATH_SIZE, "-");
    if (is_piped(r, i)) return 0;
    path_stem(input, stem, sizeof stem);
    snprintf(dir, sizeof dir, "%.*s", (int)(path_name(input) - input), input);
    snprintf(ending, sizeof ending, "%s.%s", r->out ? "" : r->beside, picture_formats[r->format]);
    CHECK(path_result(r->out ? r->out : dir, stem, ending, path, PATH_SIZE, err));
    return inputs_claim(&r->inputs, i, path, r->force, err);
}

static int write_out(const struct results *r, const struct caelum_picture *picture,
                     struct caelum_error *err) {
    uint8_t *bytes = NULL;
    size_t size = 0;
    int code = caelum_picture_encode(picture, (enum caelum_picture_format)r->format, &bytes, &size, err);
    if (code == 0 && (fwrite(bytes, 1, size, stdout) != size || fflush(stdout) != 0))
        code = caelum_fail(err, CAELUM_EIO, "standard output: the picture can't be written");
    caelum_picture_bytes_free(&bytes);
    return code;
}

int result_write(struct results *r, size_t i, const char *path, const struct caelum_picture *picture,
                 struct caelum_error *err) {
    if (is_piped(r, i)) return write_out(r, picture, err);
    CHECK(caelum_picture_save(picture, path, err));
    inputs_wrote(&r->inputs, i, path);
    return 0;
}
