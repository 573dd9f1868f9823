/* events.c - TensorBoard's events as protocol buffers, by protobuf-c from events.proto. */
#include "report/events.h"

int events_close(struct events *events, struct caelum_error *err) {
    return event_file_close(&events->file, err);
}

#if CAELUM_WITH_PROTOBUF
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/number.h"

#include "events.pb-c.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef Tensorboard__Event event;
typedef Tensorboard__Summary__Value value;

/* Stamps, packs and writes one event. */
static int append(struct events *events, event *e, struct caelum_error *err) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    e->wall_time =
        events->wall_time >= 0 ? events->wall_time : (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
    const size_t size = tensorboard__event__get_packed_size(e);
    uint8_t *record = NULL;
    CHECK(mem_alloc(&record, size + EVENT_FRAME, 1, err));
    tensorboard__event__pack(e, record + EVENT_HEAD);
    const int result = event_file_append(&events->file, record, size, err);
    mem_free(&record);
    return result;
}

static int append_values(struct events *events, size_t epoch, value **values, size_t n,
                         struct caelum_error *err) {
    Tensorboard__Summary summary = TENSORBOARD__SUMMARY__INIT;
    event e = TENSORBOARD__EVENT__INIT;
    summary.value = values;
    summary.n_value = n;
    e.step = (int64_t)epoch;
    e.what_case = TENSORBOARD__EVENT__WHAT_SUMMARY;
    e.summary = &summary;
    return append(events, &e, err);
}

/* https://reproducible-builds.org/specs/source-date-epoch/ */
static int read_source_date(double *seconds, struct caelum_error *err) {
    const char *text = getenv("SOURCE_DATE_EPOCH");
    *seconds = -1;
    if (!text) return CAELUM_OK;
    uint64_t whole;
    if (strlen(text) > 10 || !number_whole(text, 0, UINT64_MAX, &whole))
        return caelum_fail(err, CAELUM_EUSAGE,
                           "SOURCE_DATE_EPOCH=%.40s: expected seconds since 1970, at most 10 digits", text);
    *seconds = (double)whole;
    return CAELUM_OK;
}

int events_open(struct events *events, const char *dir, size_t epochs_done, struct caelum_error *err) {
    Tensorboard__SessionLog log = TENSORBOARD__SESSION_LOG__INIT;
    event version = TENSORBOARD__EVENT__INIT, start = TENSORBOARD__EVENT__INIT;
    CHECK(read_source_date(&events->wall_time, err));
    const double now = events->wall_time >= 0 ? events->wall_time : (double)time(NULL);
    CHECK(event_file_open(&events->file, dir, (long long)now, err));
    version.what_case = TENSORBOARD__EVENT__WHAT_FILE_VERSION;
    version.file_version = "brain.Event:2";
    CHECK(append(events, &version, err));
    log.status = TENSORBOARD__SESSION_LOG__SESSION_STATUS__START;
    start.step = (int64_t)epochs_done + 1;
    start.what_case = TENSORBOARD__EVENT__WHAT_SESSION_LOG;
    start.session_log = &log;
    return append(events, &start, err);
}

/* TensorBoard reads Markdown, where lines that begin with four blanks are code. */
static int indent(char **indented, size_t *size, const char *text, struct caelum_error *err) {
    size_t lines = 1;
    for (const char *c = text; *c; c++) lines += *c == '\n';
    CHECK(mem_alloc(indented, strlen(text) + 4 * lines, 1, err));
    char *to = *indented;
    for (const char *line = text; *line;) {
        const size_t length = strcspn(line, "\n") + (strchr(line, '\n') != NULL);
        memcpy(to, "    ", 4);
        memcpy(to + 4, line, length);
        to += 4 + length;
        line += length;
    }
    *size = (size_t)(to - *indented);
    return CAELUM_OK;
}

int events_text(struct events *events, const char *tag, const char *text, struct caelum_error *err) {
    Tensorboard__SummaryMetadata__PluginData plugin = TENSORBOARD__SUMMARY_METADATA__PLUGIN_DATA__INIT;
    Tensorboard__SummaryMetadata metadata = TENSORBOARD__SUMMARY_METADATA__INIT;
    Tensorboard__TensorShapeProto__Dim one = TENSORBOARD__TENSOR_SHAPE_PROTO__DIM__INIT, *dims[] = {&one};
    Tensorboard__TensorShapeProto shape = TENSORBOARD__TENSOR_SHAPE_PROTO__INIT;
    Tensorboard__TensorProto tensor = TENSORBOARD__TENSOR_PROTO__INIT;
    value v = TENSORBOARD__SUMMARY__VALUE__INIT, *values[] = {&v};
    char *indented = NULL;
    size_t size = 0;
    json_t *words = json_bytes(text); /* protocol buffers want UTF-8 */
    const int made = words ? indent(&indented, &size, json_string_value(words), err)
                           : caelum_fail(err, CAELUM_ERESOURCE, "out of memory for the text '%s'", tag);
    json_decref(words);
    CHECK(made);
    ProtobufCBinaryData string = {.len = size, .data = (uint8_t *)indented};
    plugin.plugin_name = "text";
    metadata.plugin_data = &plugin;
    metadata.data_class = TENSORBOARD__DATA_CLASS__DATA_CLASS_TENSOR;
    one.size = 1;
    shape.dim = dims;
    shape.n_dim = 1;
    tensor.dtype = TENSORBOARD__DATA_TYPE__DT_STRING;
    tensor.tensor_shape = &shape;
    tensor.string_val = &string;
    tensor.n_string_val = 1;
    v.tag = (char *)(uintptr_t)tag;
    v.metadata = &metadata;
    v.value_case = TENSORBOARD__SUMMARY__VALUE__VALUE_TENSOR;
    v.tensor = &tensor;
    const int result = append_values(events, 0, values, 1, err);
    mem_free(&indented);
    return result;
}

int events_epoch(struct events *events, const struct caelum_epoch *epoch, struct caelum_error *err) {
    const struct {
        char *tag;
        double number;
    } figures[] = {
        {"loss/train", epoch->loss},         {"loss/validation", epoch->val_loss},
        {"psnr/train", epoch->psnr},         {"psnr/validation", epoch->val_psnr},
        {"accuracy/train", epoch->accuracy}, {"accuracy/validation", epoch->val_accuracy},
        {"training/lr", epoch->lr},          {"training/pictures_per_second", epoch->pictures_per_second}};
    enum { FIGURES = sizeof figures / sizeof *figures };
    value v[FIGURES], *values[FIGURES];
    size_t n = 0;
    for (size_t i = 0; i < FIGURES; i++) {
        if (isnan(figures[i].number)) continue;
        values[n] = &v[n];
        tensorboard__summary__value__init(&v[n]);
        v[n].tag = figures[i].tag;
        v[n].value_case = TENSORBOARD__SUMMARY__VALUE__VALUE_SIMPLE_VALUE;
        v[n++].simple_value = (float)figures[i].number;
    }
    return append_values(events, epoch->epoch, values, n, err);
}

static uint32_t big_endian(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* What TensorBoard wants to know of a picture stands in a PNG file's first chunk (ISO/IEC 15948, 11.2.2). */
static int describe_png(Tensorboard__Summary__Image *image, const char *path, struct caelum_error *err) {
    static const int32_t colorspaces[] = {[0] = 1, [2] = 3, [3] = 3, [4] = 2, [6] = 4}; /* by color type */
    static const uint8_t begin[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    enum { BEGIN = sizeof begin - 1, COLOR_TYPE = BEGIN + 9 };
    const uint8_t *bytes = image->encoded_image_string.data;
    const size_t size = image->encoded_image_string.len;
    if (size <= COLOR_TYPE || memcmp(bytes, begin, BEGIN) != 0 || bytes[COLOR_TYPE] > 6)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: expected a PNG file", path);
    image->width = (int32_t)(big_endian(bytes + BEGIN) & INT32_MAX);
    image->height = (int32_t)(big_endian(bytes + BEGIN + 4) & INT32_MAX);
    image->colorspace = colorspaces[bytes[COLOR_TYPE]];
    return CAELUM_OK;
}

int events_image(struct events *events, const char *tag, size_t epoch, const char *png_path,
                 struct caelum_error *err) {
    enum { MOST = 1 << 28 };
    Tensorboard__Summary__Image image = TENSORBOARD__SUMMARY__IMAGE__INIT;
    value v = TENSORBOARD__SUMMARY__VALUE__INIT, *values[] = {&v};
    uint8_t *png = NULL;
    size_t size;
    CHECK(file_read(png_path, MOST, &png, &size, err));
    image.encoded_image_string = (ProtobufCBinaryData){.len = size, .data = png};
    v.tag = (char *)(uintptr_t)tag;
    v.value_case = TENSORBOARD__SUMMARY__VALUE__VALUE_IMAGE;
    v.image = &image;
    int result = describe_png(&image, png_path, err);
    if (result == 0) result = append_values(events, epoch, values, 1, err);
    mem_free(&png);
    return result;
}

#else
int events_open(struct events *events, const char *dir, size_t epochs_done, struct caelum_error *err) {
    (void)events, (void)dir, (void)epochs_done, (void)err;
    return CAELUM_OK;
}

int events_text(struct events *events, const char *tag, const char *text, struct caelum_error *err) {
    (void)events, (void)tag, (void)text, (void)err;
    return CAELUM_OK;
}

int events_epoch(struct events *events, const struct caelum_epoch *epoch, struct caelum_error *err) {
    (void)events, (void)epoch, (void)err;
    return CAELUM_OK;
}

int events_image(struct events *events, const char *tag, size_t epoch, const char *png_path,
                 struct caelum_error *err) {
    (void)events, (void)tag, (void)epoch, (void)png_path, (void)err;
    return CAELUM_OK;
}
#endif
