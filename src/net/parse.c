/* parse.c - the network's text: one layer a line, '#' starts a comment. The first line is `input C`;
 * `latent` marks the code. Every error names file, line and column. */
#include "net/net.h"

#include "base/file.h"
#include "base/magic.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "net/habits.h"

#include <string.h>

enum { MOST_TEXT = 1 << 20 };

static int parse_text(struct caelum_net *net, struct caelum_error *err) {
    struct layer_line line = {.file = net->file};
    for (const char *text = net->text; *text;) {
        const size_t length = strcspn(text, "\n");
        line.number++;
        CHECK(line_split(&line, text, length, err));
        if (line.count > 0) CHECK(net_append_line(net, &line, err));
        text += length + (text[length] == '\n');
    }
    return net_finish(net, err);
}

int caelum_net_parse(caelum_net **out, const char *text, const char *name, size_t height, size_t width,
                     struct caelum_error *err) {
    struct caelum_net *net = NULL;
    static const char mark[] = "\xef\xbb\xbf"; /* which editors put before UTF-8 */
    if (strncmp(text, mark, strlen(mark)) == 0) text += strlen(mark);
    if (!utf8_whole(text)) /* model files keep the text as JSON */
        return caelum_fail(err, CAELUM_EFORMAT, "%s: not UTF-8 text", name);
    CHECK(net_begin(&net, name, (struct shape){0, height, width}, err));
    int result = mem_strdup(&net->text, text, err);
    if (result == 0) result = parse_text(net, err);
    if (result != 0)
        caelum_net_close(&net);
    else
        *out = net;
    return result;
}

int caelum_net_load(caelum_net **net, const char *path, size_t height, size_t width,
                    struct caelum_error *err) {
    uint8_t *text = NULL;
    size_t size = 0;
    int result = file_read(path, MOST_TEXT, &text, &size, err);
    if (result == 0 && memchr(text, 0, size))
        result = caelum_fail(err, CAELUM_EFORMAT, "%s: not a text", path);
    else if (result == 0)
        result = caelum_net_parse(net, (const char *)text, path, height, width, err);
    mem_free(&text);
    const char *kind = result == CAELUM_EFORMAT ? magic_of_file(path) : NULL;
    return kind ? caelum_fail(err, result, "%s: %s; expected the text of a network, see docs/network.md",
                              path, kind)
                : result;
}

const char *caelum_net_text(const caelum_net *net) {
    return net->text;
}
