/* svg_network.c - heights are linear in rows, widths grow with the square root of channels, so that 3 and 64
 * can be told apart and both be seen. */
#include "study/svg_network.h"

#include "base/number.h"
#include "net/net.h"
#include "report/html.h"

#include <math.h>
#include <string.h>

static const double tallest = 132, top = 58, gap = 76, margin = 40;

enum { MOST = 514 };

/* A tensor's box. */
struct box {
    struct caelum_layer_info info;
    double x, w, h;
};

static void centered(FILE *to, double x, double y, const char *class, const char *text) {
    number_write(to, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\"%s%s%s>", x, y,
                 *class ? " class=\"" : "", class, *class ? "\"" : "");
    html_text(to, text);
    fprintf(to, "</text>\n");
}

/* "conv 8" over "relu": the layer's line cut after its second word. */
static void layer_words(FILE *to, double x, double y, const char *line) {
    char first[96], *cut;
    snprintf(first, sizeof first, "%.95s", line);
    cut = strchr(first, ' ');
    if (cut) cut = strchr(cut + 1, ' ');
    if (cut) *cut++ = '\0';
    centered(to, x, y, "strong", first);
    if (cut) centered(to, x, y + 15, "", cut);
}

static void draw_box(FILE *to, const struct box *b, double middle, bool narrow, const char *numbers) {
    char shape[64];
    number_write(to,
                 "<rect class=\"box%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"1.5\"/>\n",
                 narrow ? " narrow" : "", b->x, middle - b->h / 2, b->w, b->h);
    const double x = b->x + b->w / 2, below = middle + tallest / 2 + 20;
    layer_words(to, x, below, b->info.text);
    snprintf(shape, sizeof shape, "%zu × %zu × %zu", b->info.channels, b->info.height, b->info.width);
    centered(to, x, below + 32, "", shape);
    if (narrow) centered(to, x, middle - b->h / 2 - 10, "accent", numbers);
    if (b->info.latent) centered(to, x, below + 47, "accent", "latent");
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

void svg_network_write(FILE *to, const caelum_net *net, const char *title, const char *id) {
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
    number_write(
        to,
        "<div class=\"scroll\"><svg viewBox=\"0 0 %.0f %.0f\" style=\"min-width:%.0fpx\" role=\"img\" "
        "aria-labelledby=\"%s-t %s-d\"><title id=\"%s-t\">",
        total, top + tallest + 74, fmin(total, 960), id, id, id);
    html_text(to, title);
    number_write(to, "</title><desc id=\"%s-d\">", id);
    for (size_t i = 0; i < count; i++) {
        number_write(to, "%s", i ? ", then " : "");
        html_text(to, box[i].info.text);
        number_write(to, ": %zux%zux%zu", box[i].info.channels, box[i].info.height, box[i].info.width);
    }
    number_write(to, "</desc>\n<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>\n",
                 margin, total - margin, middle, middle);
    draw_skips(to, net, box, count, middle);
    for (size_t i = 0; i < count; i++) draw_box(to, &box[i], middle, i == info.bottleneck_layer + 1, numbers);
    number_write(to, "<text class=\"title\" x=\"0\" y=\"15\">");
    html_text(to, title);
    fprintf(to, "</text>\n");
    number_write(to, "</svg></div>\n");
}
