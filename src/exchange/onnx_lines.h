/* onnx_lines.h - what the files share that turn steps into lines of text. */
#ifndef CAELUM_EXCHANGE_ONNX_LINES_H
#define CAELUM_EXCHANGE_ONNX_LINES_H

#include "exchange/onnx_import.h"

/* What is known of a value on the way. */
struct onnx_known {
    struct shape shape;
    bool flat; /* the graph has it as [N, values], the text still as `shape` */
};

struct onnx_writer {
    struct onnx_network *network;
    const struct onnx_path *path;
    const struct onnx_step *step; /* that is being written */
    struct onnx_known now;
    bool linear; /* the last line is a layer that may yet take an activation */
    bool affine; /* or a constant, into its bias */
    size_t saves;
    const char *saved[NET_SKIPS];             /* values, as "s1", "s2", ... */
    struct onnx_known known[ONNX_MOST_STEPS]; /* of each step's input so far */
    struct onnx_lists lists;
};

/* onnx_refuse for the step that is being written. */
#define REFUSE(writer, err, ...) onnx_refuse((writer)->path, (writer)->step->node, err, __VA_ARGS__)

/* Writes an activation at the end of the last line where that has none, else as a line. */
int onnx_activate(struct onnx_writer *writer, const char *word, struct caelum_error *err);
/* Adds a line; the shape that it leads to is in writer->now. */
int onnx_say(struct onnx_writer *writer, struct caelum_error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A tensor of the last line's layer. */
int onnx_weigh(struct onnx_writer *writer, const char *tensor, const struct onnx_tensor *from, bool turned,
               struct caelum_error *err);
/* The same, of one number. */
int onnx_weigh_number(struct onnx_writer *writer, const char *tensor, float number, struct caelum_error *err);
/* A constant, one number or one a channel, that is added to the bias of the last line's layer. */
int onnx_weigh_more(struct onnx_writer *writer, const struct onnx_tensor *from, struct caelum_error *err);
/* `crop` and `pad` lines that put `before` and `after` zeros around rows [0] and columns [1]; negative: cut
 * as many. */
int onnx_place(struct onnx_writer *writer, const int64_t before[2], const int64_t after[2],
               struct caelum_error *err);

/* Attributes of the step's node, the standard value where it has none. */
int onnx_get_int(const struct onnx_writer *writer, const char *name, int64_t standard, int64_t *value,
                 struct caelum_error *err);
int onnx_get_ints(const struct onnx_writer *writer, const char *name, size_t count, int64_t standard,
                  int64_t *values, struct caelum_error *err);
int onnx_get_real(const struct onnx_writer *writer, const char *name, float standard, float *value,
                  struct caelum_error *err);
int onnx_get_word(const struct onnx_writer *writer, const char *name, const char *standard,
                  const char **value, struct caelum_error *err);
/* The i-th input as a constant of floats; NULL where it is left out. */
int onnx_get_reals(const struct onnx_writer *writer, size_t i, const struct onnx_tensor **tensor,
                   struct caelum_error *err);
/* The i-th input as a list of whole numbers; *given is false where it is left out. */
int onnx_get_list(struct onnx_writer *writer, size_t i, bool *given, struct onnx_list *list,
                  struct caelum_error *err);

/* onnx_windows.c: layers with windows. */
int onnx_conv(struct onnx_writer *writer, struct caelum_error *err);
int onnx_deconv(struct onnx_writer *writer, struct caelum_error *err);
int onnx_pool(struct onnx_writer *writer, struct caelum_error *err);
int onnx_resize(struct onnx_writer *writer, struct caelum_error *err);
/* onnx_constants.c: normalization, and what a constant is added to, or multiplied by. */
int onnx_normalize(struct onnx_writer *writer, struct caelum_error *err);
int onnx_normalize_groups(struct onnx_writer *writer, struct caelum_error *err);
int onnx_add_constant(struct onnx_writer *writer, struct caelum_error *err);
int onnx_neutral(struct onnx_writer *writer, struct caelum_error *err);
int onnx_clip(struct onnx_writer *writer, struct caelum_error *err);
/* onnx_shapes.c: layers that move values. */
int onnx_flatten(struct onnx_writer *writer, struct caelum_error *err);
int onnx_reshape(struct onnx_writer *writer, struct caelum_error *err);
int onnx_unsqueeze(struct onnx_writer *writer, struct caelum_error *err);
int onnx_squeeze(struct onnx_writer *writer, struct caelum_error *err);
int onnx_slice(struct onnx_writer *writer, struct caelum_error *err);
int onnx_pad(struct onnx_writer *writer, struct caelum_error *err);
int onnx_depth_to_space(struct onnx_writer *writer, struct caelum_error *err);
int onnx_shuffle(struct onnx_writer *writer, struct caelum_error *err);
int onnx_unshuffle(struct onnx_writer *writer, struct caelum_error *err);

#endif
