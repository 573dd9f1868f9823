/* anomaly_page.c - the figures of finders of defects as one page: tables, curves, and what the first one gets
 * wrong. */
#include "anomaly/anomaly_eval.h"

#include "anomaly/anomaly_heat.h"
#include "anomaly/anomaly_view.h"
#include "base/mem.h"
#include "base/number.h"
#include "report/page.h"
#include "report/svg_chart.h"

#include <math.h>
#include <string.h>

/* BINS: of a histogram; WORST: pictures of each kind of error; SIDE: pixels of the largest that is shown as
 * it is. */
enum { BINS = 30, WORST = 4, SIDE = 640, MOST = 16 };

/* --- Tables --------------------------------------------------------------------------------------------- */

enum { COLUMNS = 11 };

struct row {
    const char *name;
    const struct anomaly_figures *figures;
    double last; /* milliseconds, or pictures */
    const char *format;
};

static void write_row(const struct page *page, const struct row *r, bool quiet) {
    const struct anomaly_figures *f = r->figures;
    const double value[] = {
        f->image.auroc,     f->image.ap,       f->image.f1_max,         f->pixel.auroc,        f->pixel.ap,
        f->pixel.au_pro_30, f->pixel.au_pro_5, 100 * f->true_positives, 100 * f->false_alarms, r->last};
    char text[COLUMNS][32] = {""};
    const char *cell[COLUMNS] = {r->name};
    for (size_t i = 0; i + 1 < COLUMNS; i++) {
        if (!isnan(value[i]))
            number_print(text[i], sizeof text[i], i < 7 ? "%.3f" : i < 9 ? "%.1f %%" : r->format, value[i]);
        cell[i + 1] = text[i];
    }
    page_row(page, cell, COLUMNS, quiet);
}

static void write_table(const struct page *page, const char *first, const char *last) {
    const char *head[COLUMNS] = {first,         "image AUROC",  "image AP",    "best F1",
                                 "pixel AUROC", "pixel AP",     "AU-PRO 30 %", "AU-PRO 5 %",
                                 "found",       "false alarms", last};
    page_table(page, head, COLUMNS);
}

static void write_tables(const struct page *page, const struct anomaly_eval *e) {
    const struct anomaly_result *ours = &e->result[0];
    write_table(page, "detector", "ms a picture");
    for (size_t d = 0; d < e->detectors; d++) {
        const struct anomaly_figures *all = &e->result[d].all;
        const double ms = 1000 * e->result[d].seconds / (double)(all->good + all->bad);
        write_row(page, &(struct row){e->detector[d].name, all, ms, "%.1f"}, d > 0);
    }
    page_table_end(page);
    page_heading(page, 2, NULL, "By kind of defect");
    page_paragraph(page, PAGE_ABOUT, "Each kind alone, against all good pictures.");
    write_table(page, "kind", "pictures");
    for (size_t k = 1; k < e->folders->kinds; k++)
        write_row(page, &(struct row){e->folders->kind[k], &ours->kind[k], (double)ours->kind[k].bad, "%.0f"},
                  false);
    page_table_end(page);
}

/* --- Charts --------------------------------------------------------------------------------------------- */

/* Scores of the pictures that were measured. Returns their number. */
static size_t list_scores(const struct anomaly_eval *e, size_t detector, float *score, bool *bad) {
    size_t n = 0;
    for (size_t i = 0; i < e->folders->count; i++) {
        if (!e->measured[i]) continue;
        score[n] = e->result[detector].score[i];
        bad[n++] = e->folders->picture[i].kind != 0;
    }
    return n;
}

/* One line for each detector, by all thresholds. */
static int roc_html(FILE *to, const struct anomaly_eval *e, struct mem_group *memory,
                    struct caelum_error *err) {
    struct svg_series series[MOST] = {{0}};
    const size_t count = e->folders->count, lines = e->detectors < MOST ? e->detectors : MOST;
    struct detection_point *point = NULL;
    float *score = NULL;
    bool *bad = NULL;
    CHECK(mem_take(memory, &point, count, sizeof *point, err));
    CHECK(mem_take(memory, &score, count, sizeof *score, err));
    CHECK(mem_take(memory, &bad, count, sizeof *bad, err));
    for (size_t d = 0; d < lines; d++) {
        double *x = NULL;
        CHECK(mem_take(memory, &x, 2, (count + 1) * sizeof *x, err));
        double *y = x + count + 1;
        const size_t n = detection_curve(score, bad, list_scores(e, d, score, bad), point);
        for (size_t i = 0; i < n; i++) {
            x[i + 1] = 100 * (double)point[i].alarms / (double)e->result[d].all.good;
            y[i + 1] = 100 * (double)point[i].found / (double)e->result[d].all.bad;
        }
        series[d] = (struct svg_series){
            .name = e->detector[d].name, .x = x, .y = y, .n = n + 1, .color = d % SVG_COLORS};
    }
    const struct svg_chart chart = {.title = "Found by false alarms",
                                    .description = "A line for each detector, by all thresholds.",
                                    .x_label = "good pictures called bad, %",
                                    .y_label = "bad pictures found, %",
                                    .series = series,
                                    .count = lines,
                                    .id = "roc"};
    svg_figure_write(to, &chart, "Chance is the diagonal. The area below a line is its image AUROC.");
    return CAELUM_OK;
}

/* The outline of a histogram's columns, in percent of n scores. */
struct outline {
    double x[2 * BINS + 2], y[2 * BINS + 2];
};

static void draw_outline(const float *score, const bool *bad, size_t n, bool kind, double low, double high,
                         bool log_x, struct outline *o) {
    size_t count[BINS] = {0}, all = 0;
    for (size_t i = 0; i < n; i++) {
        const double at =
            log_x ? log((double)score[i] / low) / log(high / low) : ((double)score[i] - low) / (high - low);
        if (bad[i] != kind) continue;
        count[at >= 1 ? BINS - 1 : at > 0 ? (size_t)(at * BINS) : 0]++;
        all++;
    }
    for (size_t i = 0; i <= BINS; i++) {
        const double part = (double)i / BINS;
        o->x[2 * i] = o->x[2 * i + 1] = log_x ? low * pow(high / low, part) : low + part * (high - low);
        o->y[2 * i] = i > 0 ? 100 * (double)count[i - 1] / (double)all : 0;
        o->y[2 * i + 1] = i < BINS ? 100 * (double)count[i] / (double)all : 0;
    }
}

static int histogram_html(FILE *to, const struct anomaly_eval *e, struct mem_group *memory,
                          struct caelum_error *err) {
    struct outline *o = NULL;
    float *score = NULL;
    bool *bad = NULL;
    CHECK(mem_take(memory, &o, 2, sizeof *o, err));
    CHECK(mem_take(memory, &score, e->folders->count, sizeof *score, err));
    CHECK(mem_take(memory, &bad, e->folders->count, sizeof *bad, err));
    const size_t n = list_scores(e, 0, score, bad);
    const double threshold = e->detector->threshold;
    double low = (double)score[0], high = low, top = 0;
    for (size_t i = 0; i < n; i++) { /* by fmin and fmax, gcc 12 fails for aarch64 */
        if ((double)score[i] < low) low = (double)score[i];
        if ((double)score[i] > high) high = (double)score[i];
    }
    const bool log_x = low > 0 && high > 10 * low;
    if (!(high > low)) high = low + 1;
    for (int kind = 0; kind < 2; kind++) {
        draw_outline(score, bad, n, kind, low, high, log_x, &o[kind]);
        for (size_t i = 0; i < 2 * BINS + 2; i++) top = fmax(top, o[kind].y[i]);
    }
    const double x[] = {threshold, threshold}, y[] = {0, top};
    const struct svg_series series[] = {
        {.name = "good", .x = o[0].x, .y = o[0].y, .n = 2 * BINS + 2, .color = 0},
        {.name = "bad", .x = o[1].x, .y = o[1].y, .n = 2 * BINS + 2, .color = 1},
        {.name = "threshold", .x = x, .y = y, .n = 2, .dashed = true}};
    const struct svg_chart chart = {.title = "Scores of good and of bad pictures",
                                    .description = "Two histograms, which overlap where the detector errs.",
                                    .x_label = "score",
                                    .y_label = "pictures of the kind, %",
                                    .log_x = log_x,
                                    .parts_x = true,
                                    .series = series,
                                    .count = isnan(threshold) ? 2 : 3,
                                    .id = "scores"};
    svg_figure_write(to, &chart, NULL);
    return CAELUM_OK;
}

/* --- Pictures ------------------------------------------------------------------------------------------- */

static int picture_html(FILE *to, const struct caelum_picture *p, const char *caption,
                        struct caelum_error *err) {
    struct caelum_picture shown = {0};
    uint8_t *bytes = NULL;
    size_t size = 0;
    int result = anomaly_reduce(p, SIDE, 1, &shown, err);
    if (result == 0) result = caelum_picture_encode(&shown, CAELUM_JPEG, &bytes, &size, err);
    if (result == 0)
        result = html_picture(to, &(struct html_picture){"image/jpeg", bytes, size, caption, caption}, err);
    mem_free(&bytes);
    caelum_picture_free(&shown);
    return result;
}

/* The picture of that number, and its heat map next to it. */
static int error_html(FILE *to, const struct anomaly_eval *e, size_t number, const char *caption,
                      struct caelum_error *err) {
    const struct anomaly_picture *p = &e->folders->picture[number];
    struct caelum_picture picture = {0}, heat = {0};
    uint8_t *mask = NULL;
    float *map = NULL, score;
    int result = tree_picture(&e->folders->pictures, p->file, &picture, err);
    if (result == 0 && p->mask) result = anomaly_mask_read(e->folders, number, &picture, &mask, err);
    if (result == 0) result = mem_alloc(&map, picture.width * picture.height, sizeof *map, err);
    if (result == 0) result = e->detector->score(e->detector->cookie, &picture, map, &score, err);
    if (result == 0) result = anomaly_heat(&picture, map, e->result->low, e->result->high, mask, &heat, err);
    fprintf(to, "<div class=\"pair\">\n");
    if (result == 0) result = picture_html(to, &picture, caption, err);
    if (result == 0)
        result = picture_html(to, &heat, mask ? "Heat map; the defect's outline is blue" : "Heat map", err);
    fprintf(to, "</div>\n");
    mem_free(&map), mem_free(&mask);
    caelum_picture_free(&picture), caelum_picture_free(&heat);
    return result;
}

/* How many pictures of the other kind have a score on the wrong side of this one. */
static size_t count_wrong(const struct anomaly_eval *e, bool good, float score) {
    size_t n = 0;
    for (size_t i = 0; i < e->folders->count; i++) {
        const float other = e->result->score[i];
        if (e->measured[i] && (e->folders->picture[i].kind == 0) != good)
            n += good ? other < score : other > score;
    }
    return n;
}

/* The next worst one behind `last`, a picture's number or count; count: there is none. */
static size_t next_worst(const struct anomaly_eval *e, bool good, size_t last) {
    const size_t count = e->folders->count;
    const float *score = e->result->score;
    size_t worst = count;
    for (size_t i = 0; i < count; i++) {
        if (!e->measured[i] || (e->folders->picture[i].kind == 0) != good) continue;
        const float own = good ? -score[i] : score[i];
        const float before = last == count ? -INFINITY : good ? -score[last] : score[last];
        if (last < count && (own < before || (own == before && i <= last))) continue;
        if (worst == count || own < (good ? -score[worst] : score[worst])) worst = i;
    }
    return worst;
}

static int worst_html(FILE *to, const struct anomaly_eval *e, bool good, struct caelum_error *err) {
    const double threshold = e->detector->threshold;
    const size_t others = good ? e->result->all.bad : e->result->all.good;
    size_t at = e->folders->count;
    char caption[PATH_SIZE + 200];
    for (int i = 0; i < WORST; i++) {
        at = next_worst(e, good, at);
        if (at == e->folders->count) break;
        const float score = e->result->score[at];
        number_print(caption, sizeof caption, "%s: score %.4g%s; %zu of %zu %s pictures have a %s one",
                     e->folders->picture[at].file->path, (double)score,
                     isnan(threshold)             ? ""
                     : (double)score >= threshold ? ", called bad"
                                                  : ", called good",
                     count_wrong(e, good, score), others, good ? "bad" : "good", good ? "smaller" : "larger");
        CHECK(error_html(to, e, at, caption, err));
    }
    return CAELUM_OK;
}

/* --- The page ------------------------------------------------------------------------------------------- */

static void write_summary(const struct page *page, const struct anomaly_eval *e) {
    char text[PATH_SIZE + 300];
    const struct anomaly_figures *all = &e->result->all;
    page_heading(page, 1, NULL, "Finding defects");
    number_print(
        text, sizeof text,
        "%s on %zu good and %zu bad pictures of %s. In %.1f %% of the pairs of a good and a bad one, the bad "
        "one has the larger score.",
        e->detector->name, all->good, all->bad, e->folders->test, 100 * all->image.auroc);
    page_paragraph(page, PAGE_PLAIN, text);
    if (!*e->folders->truth)
        page_paragraph(page, PAGE_PLAIN, "There are no masks, so nothing is said of pixels.");
    if (e->left == 0) return;
    page_heading(page, 3, NULL, "Left out");
    page_list(page, true);
    for (size_t i = 0; i < e->left; i++) page_item(page, PAGE_NO, e->left_out[i]);
    page_list(page, false);
}

static int write_page(FILE *to, const struct anomaly_eval *e, struct mem_group *memory,
                      struct caelum_error *err) {
    const struct page page = {.html = to};
    page_begin(&page, "Finding defects");
    write_summary(&page, e);
    write_tables(&page, e);
    page_heading(&page, 2, NULL, "Thresholds");
    fprintf(to, "<div class=\"pair\">\n");
    CHECK(roc_html(to, e, memory, err));
    CHECK(histogram_html(to, e, memory, err));
    fprintf(to, "</div>\n");
    page_heading(&page, 2, NULL, "Good pictures with the largest scores");
    CHECK(worst_html(to, e, true, err));
    page_heading(&page, 2, NULL, "Bad pictures with the smallest scores");
    CHECK(worst_html(to, e, false, err));
    fprintf(to,
            "<footer><p>A larger score is worse. Colors of heat maps begin at the score that 98 %% of the "
            "pixels of "
            "good pictures are below and are full where 99.99 %% are.</p><p>caelum %s</p></footer>\n",
            CAELUM_VERSION);
    page_end(&page);
    return CAELUM_OK;
}

int anomaly_page_write(const struct anomaly_eval *e, const char *path, struct caelum_error *err) {
    struct file_writer file;
    struct mem_group memory = {0};
    CHECK(file_begin(&file, path, err));
    int result = write_page(file.stream, e, &memory, err);
    if (result == 0) result = file_commit(&file, err);
    file_abandon(&file);
    mem_end(&memory);
    return result;
}
