/* study_charts.c - see study_charts.h. */
#include "study/study_charts.h"

#include "base/mem.h"
#include "base/number.h"
#include "net/net.h"
#include "report/page.h"
#include "report/svg_chart.h"

#include <math.h>
#include <string.h>

/* --- Networks ------------------------------------------------------------------------------------- */

static const double tallest = 132, top = 58, gap = 76, margin = 40;

enum { MOST = 514 };

/* A tensor's box: its height is linear in rows, its width grows with the square root of channels, so that 3
 * and 64 can be told apart and both be seen. */
struct box {
    struct caelum_layer_info info;
    double x, w, h;
};

/* "conv 8" over "relu": the layer's line cut after its second word. */
static void layer_words(FILE *to, double x, double y, const char *line) {
    char first[96], *cut;
    snprintf(first, sizeof first, "%.95s", line);
    cut = strchr(first, ' ');
    if (cut) cut = strchr(cut + 1, ' ');
    if (cut) *cut++ = '\0';
    svg_text(to, x, y, "middle", "strong", first);
    if (cut) svg_text(to, x, y + 15, "middle", "", cut);
}

static void draw_box(FILE *to, const struct box *b, double middle, bool narrow, const char *numbers) {
    char shape[64];
    number_write(to,
                 "<rect class=\"box%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"1.5\"/>\n",
                 narrow ? " narrow" : "", b->x, middle - b->h / 2, b->w, b->h);
    const double x = b->x + b->w / 2, below = middle + tallest / 2 + 20;
    layer_words(to, x, below, b->info.text);
    snprintf(shape, sizeof shape, "%zu × %zu × %zu", b->info.channels, b->info.height, b->info.width);
    svg_text(to, x, below + 32, "middle", "", shape);
    if (narrow) svg_text(to, x, middle - b->h / 2 - 10, "middle", "accent", numbers);
    if (b->info.latent) svg_text(to, x, below + 47, "middle", "accent", "latent");
}

/* An arc to each layer that names a saved tensor, from the layer that made it. */
static void draw_skips(FILE *to, const caelum_net *net, const struct box *box, size_t count, double middle) {
    for (size_t i = 1; i < count; i++) {
        const struct box *a = &box[net->layer[i - 1].skip], *b = &box[i];
        if (a != box && a != b)
            number_write(to, "<path class=\"line dashed\" d=\"M%.1f %.1fC%.1f 4 %.1f 4 %.1f %.1f\"/>\n",
                         a->x + a->w / 2, middle - a->h / 2, a->x + gap, b->x - gap, b->x + b->w / 2,
                         middle - b->h / 2);
    }
}

void network_write(FILE *to, const caelum_net *net, const char *title, const char *id) {
    struct caelum_net_info info;
    struct box box[MOST];
    char numbers[64];
    caelum_net_describe(net, &info);
    const size_t count = info.layers + 1 < MOST ? info.layers + 1 : MOST;
    double side = (double)info.height, x = margin;
    box[0] = (struct box){
        .info = {.text = "input", .channels = info.channels, .height = info.height, .width = info.width}};
    for (size_t i = 1; i < count; i++) {
        caelum_net_layer(net, i - 1, &box[i].info);
        if ((double)box[i].info.height > side) side = (double)box[i].info.height;
    }
    for (size_t i = 0; i < count; i++) {
        box[i].w = 5 + 4.5 * sqrt((double)box[i].info.channels);
        box[i].h = fmax(3, tallest * (double)box[i].info.height / side);
        box[i].x = x;
        x += box[i].w + gap;
    }
    const double total = x - gap + margin, middle = top + tallest / 2;
    snprintf(numbers, sizeof numbers, "%zu numbers", info.bottleneck);
    number_write(to,
                 "<figure><div class=\"scroll\"><svg viewBox=\"0 0 %.0f %.0f\" style=\"min-width:%.0fpx\" "
                 "role=\"img\" "
                 "aria-labelledby=\"%s-t %s-d\"><title id=\"%s-t\">",
                 total, top + tallest + 74, fmin(total, 960), id, id, id);
    html_text(to, "", title, "</title>");
    fprintf(to, "<desc id=\"%s-d\">", id);
    for (size_t i = 0; i < count; i++) {
        html_text(to, i ? ", then " : "", box[i].info.text, "");
        number_write(to, ": %zux%zux%zu", box[i].info.channels, box[i].info.height, box[i].info.width);
    }
    number_write(to, "</desc>\n<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>\n",
                 margin, total - margin, middle, middle);
    draw_skips(to, net, box, count, middle);
    for (size_t i = 0; i < count; i++) draw_box(to, &box[i], middle, i == info.bottleneck_layer + 1, numbers);
    html_text(to, "<text class=\"title\" x=\"0\" y=\"15\">", title, "</text>\n</svg></div>\n</figure>\n");
}

/* --- Curves --------------------------------------------------------------------------------------- */

/* Fills [4][epochs]: epoch, mean, lowest, highest. */
static void fill(const struct curves_run *run, bool accuracy, double *values) {
    for (size_t e = 0; e < run->epochs; e++) {
        double sum = 0, low = INFINITY, high = -INFINITY;
        for (size_t i = 0; i < run->seeds; i++) {
            const struct caelum_epoch *at = &run->history[i][e];
            const double v = accuracy ? at->val_accuracy : at->val_loss;
            sum += v, low = fmin(low, v), high = fmax(high, v);
        }
        values[e] = (double)(e + 1);
        values[run->epochs + e] = sum / (double)run->seeds;
        values[2 * run->epochs + e] = low;
        values[3 * run->epochs + e] = high;
    }
}

int curves_write(FILE *to, const char *path, const struct curves_run *runs, size_t count, bool accuracy,
                 const char *id, struct caelum_error *err) {
    struct svg_series series[CURVES_RUNS];
    double *memory = NULL;
    size_t n = 0, all = 1;
    for (size_t r = 0; r < count; r++) all += 4 * runs[r].epochs;
    CHECK(mem_alloc(&memory, all, sizeof *memory, err));
    double *at = memory;
    for (size_t r = 0; r < count && n < CURVES_RUNS; r++) {
        const size_t epochs = runs[r].epochs;
        const bool band = runs[r].seeds > 1;
        if (epochs == 0) continue;
        fill(&runs[r], accuracy, at);
        series[n++] = (struct svg_series){.name = runs[r].name,
                                          .color = runs[r].color,
                                          .x = at,
                                          .y = at + epochs,
                                          .low = band ? at + 2 * epochs : NULL,
                                          .high = band ? at + 3 * epochs : NULL,
                                          .n = epochs};
        at += 4 * epochs;
    }
    const struct svg_chart chart = {
        .title = accuracy ? "Validation accuracy by epoch" : "Validation loss by epoch",
        .description = "A line for each run: the mean over its seeds; the band is their range.",
        .x_label = "epoch",
        .y_label = accuracy ? "share of pixels whose largest channel agrees" : "loss",
        .log_y = !accuracy,
        .series = series,
        .count = n,
        .id = id};
    int result = CAELUM_OK;
    if (!to)
        result = svg_chart_write(&chart, path, err);
    else if (n > 0)
        svg_figure_write(to, &chart,
                         count <= CURVES_RUNS ? NULL : "At most 16 runs are drawn, the first ones.");
    mem_free(&memory);
    return result;
}
