/* events.c - TensorBoard's event files: their names and records; and the events in them as protocol buffers,
 * by protobuf-c from events.proto. */
#include "report/events.h"

#include "base/ascii.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/number.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Ten digits. */
static const uint64_t MOST_SECONDS = 9999999999;

static const char prefix[] = "events.out.tfevents.";

/* A bit at a time: records are small and few. */
uint32_t event_crc32c(const uint8_t *bytes, size_t size) {
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
    }
    return ~crc;
}

static void put_little(uint8_t *at, uint64_t value, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) at[i] = (uint8_t)(value >> 8 * i);
}

/* The CRC of data that hold CRCs says little, so TensorFlow turns it by 15 bits and adds a constant. */
static uint32_t masked(const uint8_t *bytes, size_t size) {
    const uint32_t crc = event_crc32c(bytes, size);
    return (crc >> 15 | crc << 17) + 0xa282ead8;
}

void event_frame(uint8_t *record, size_t size) {
    put_little(record, size, 8);
    put_little(record + 8, masked(record, 8), 4);
    put_little(record + EVENT_HEAD + size, masked(record + EVENT_HEAD, size), 4);
}

/* Calls visit for the name of each event file of the directory until one fails. */
static int each_file(const char *dir, int (*visit)(void *cookie, const char *name, struct caelum_error *err),
                     void *cookie, struct caelum_error *err) {
    DIR *d = opendir(dir);
    if (!d) return caelum_fail(err, CAELUM_EIO, "%s: can't be read: %s", dir, strerror(errno));
    int result = CAELUM_OK;
    for (const struct dirent *entry; result == 0 && (errno = 0, entry = readdir(d)) != NULL;)
        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0) result = visit(cookie, entry->d_name, err);
    if (result == 0 && errno != 0)
        result = caelum_fail(err, CAELUM_EIO, "%s: can't be read: %s", dir, strerror(errno));
    closedir(d);
    return result;
}

/* Raises *seconds above those in the name. Names with more than ten digits sort before ours. */
static int go_after(void *cookie, const char *name, struct caelum_error *err) {
    long long *seconds = cookie;
    const char *digits = name + strlen(prefix);
    (void)err;
    uint64_t theirs;
    if (strspn(digits, "0123456789") > 10 || !number_whole_at(digits, &digits, 0, MOST_SECONDS, &theirs))
        return CAELUM_OK;
    if (*seconds <= (long long)theirs) *seconds = (long long)theirs + 1;
    return CAELUM_OK;
}

int events_create(struct events *events, const char *dir, long long seconds, struct caelum_error *err) {
    char host[65] = "", name[160];
    CHECK(each_file(dir, go_after, &seconds, err));
    if (gethostname(host, sizeof host - 1) != 0 || !*host) snprintf(host, sizeof host, "localhost");
    for (char *c = host; *c; c++)
        if (!ascii_alnum(*c) && *c != '.') *c = '-';
    snprintf(name, sizeof name, "%s%010lld.%s.%ld.0", prefix, seconds, host, (long)getpid());
    CHECK(file_join(events->path, sizeof events->path, dir, name, err));
    events->stream = fopen(events->path, "wbxe");
    if (!events->stream)
        return caelum_fail(err, CAELUM_EIO, "%s: can't be written: %s", events->path, strerror(errno));
    setvbuf(events->stream, NULL, _IONBF, 0); /* a record is one write, and nothing waits */
    return CAELUM_OK;
}

int events_close(struct events *events, struct caelum_error *err) {
    if (!events->stream) return CAELUM_OK;
    const bool good = fclose(events->stream) == 0;
    events->stream = NULL;
    return good ? CAELUM_OK
                : caelum_fail(err, CAELUM_EIO, "%s: not written: %s", events->path, strerror(errno));
}

static int remove_one(void *cookie, const char *name, struct caelum_error *err) {
    char path[PATH_SIZE];
    CHECK(file_join(path, sizeof path, cookie, name, err));
    if (unlink(path) != 0 && errno != ENOENT)
        return caelum_fail(err, CAELUM_EIO, "%s: can't be removed: %s", path, strerror(errno));
    return CAELUM_OK;
}

int events_remove(const char *dir, struct caelum_error *err) {
    return each_file(dir, remove_one, (void *)(uintptr_t)dir, err); /* which only reads it */
}

/* --- Events --------------------------------------------------------------------------------------- */

#if CAELUM_WITH_PROTOBUF
#include "events.pb-c.h"

enum { STATUS_START = 1, DATA_CLASS_TENSOR = 2, DT_STRING = 7 }; /* TensorFlow's enumerations */

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
    event_frame(record, size);
    const bool written = fwrite(record, 1, size + EVENT_FRAME, events->stream) == size + EVENT_FRAME;
    const int reason = errno;
    mem_free(&record);
    return written ? CAELUM_OK
                   : caelum_fail(err, CAELUM_EIO, "%s: not written: %s", events->path, strerror(reason));
}

static int append_values(struct events *events, size_t epoch, value **values, size_t n,
                         struct caelum_error *err) {
    Tensorboard__Summary summary = TENSORBOARD__SUMMARY__INIT;
    event e = TENSORBOARD__EVENT__INIT;
    summary.value = values;
    summary.n_value = n;
    e.step = (int64_t)epoch;
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
    CHECK(events_create(events, dir, (long long)now, err));
    version.file_version = "brain.Event:2";
    CHECK(append(events, &version, err));
    log.status = STATUS_START;
    start.step = (int64_t)epochs_done + 1;
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
    metadata.data_class = DATA_CLASS_TENSOR;
    one.size = 1;
    shape.dim = dims;
    shape.n_dim = 1;
    tensor.dtype = DT_STRING;
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

/* What TensorBoard wants to know of a picture is in a PNG file's first chunk (ISO/IEC 15948, 11.2.2). */
static int describe_png(Tensorboard__Summary__Image *image, const char *path, struct caelum_error *err) {
    static const int32_t colorspaces[] = {[0] = 1, [2] = 3, [3] = 3, [4] = 2, [6] = 4}; /* by color type */
    static const uint8_t begin[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    enum { BEGIN = sizeof begin - 1, COLOR_TYPE = BEGIN + 9 };
    const uint8_t *bytes = image->encoded_image_string.data;
    const size_t size = image->encoded_image_string.len;
    uint32_t sides[2];
    if (size <= COLOR_TYPE || memcmp(bytes, begin, BEGIN) != 0 || bytes[COLOR_TYPE] > 6)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: expected a PNG file", path);
    memcpy(sides, bytes + BEGIN, sizeof sides);
    image->width = (int32_t)(ntohl(sides[0]) & INT32_MAX);
    image->height = (int32_t)(ntohl(sides[1]) & INT32_MAX);
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
