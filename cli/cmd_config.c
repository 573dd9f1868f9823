/* cmd_config.c - caelum config: what each option would be without a flag, and why. */
#include "cli.h"

#include "base/json.h"

#include <stdio.h>

struct showing {
    bool json; /* else lines, in the format of the files */
    json_t *list;
    struct option_source *source; /* [OPTIONS_MOST] */
    int code;
    struct caelum_error err;
};

static const char *origin_words(const struct option_source *source) {
    return source->origin == ORIGIN_DEFAULT ? "default" : source->place;
}

static void show_row(struct showing *s, const struct command *command, const struct option_row *row,
                     const struct option_source *source) {
    char text[32];
    const struct option_words *words = row->kind == OPTION_WORDS ? row->value : NULL;
    for (size_t i = 0; i == 0 || (words && i < words->count); i++) {
        const char *value = words && words->count > 0 ? words->word[i] : option_text(row, text);
        if (s->json) {
            json_t *object = json_object();
            json_put(&object, "command", json_string(command->name));
            json_put(&object, "option", json_string(row->name));
            json_put(&object, "value", value ? json_bytes(value) : json_null());
            json_put(&object, "origin", json_bytes(origin_words(source)));
            json_add(&s->list, object);
            continue;
        }
        const int width = value ? printf("%s.%s = %s", command->name, row->name, value)
                                : printf("# %s.%s is not set", command->name, row->name);
        printf("%*s  # %s\n", width < 44 ? 44 - width : 0, "", origin_words(source));
    }
}

static void show(void *cookie, const struct command *command, const struct option_row *rows,
                 bool configured) {
    struct showing *s = cookie;
    if (!configured) return;
    for (int i = 0; i < OPTIONS_MOST; i++) s->source[i].origin = ORIGIN_DEFAULT;
    s->code = config_apply(command, rows, s->source, &s->err);
    for (size_t i = 0; s->code == 0 && rows[i].name; i++)
        if (!option_by_hand(&rows[i])) show_row(s, command, &rows[i], &s->source[i]);
}

int command_config(int argc, char **argv) {
    static struct option_source source[OPTIONS_MOST];
    bool json = false;
    const struct option_row rows[] = {{0, "json", OPTION_FLAG, &json, NULL, "print a list as JSON", NULL},
                                      {0, NULL, OPTION_FLAG, NULL, NULL, NULL, NULL}};
    const int n = options_read_alone(command_find("config"), rows, argc, argv);
    if (n < 0) return -n - 1;
    if (n > 1) return usage_error("config", "expected one COMMAND, got %d", n);
    if (n == 1 && !command_find(argv[1])) return unknown_command(argv[1]);
    struct showing s = {.json = json, .list = json ? json_array() : NULL, .source = source};
    for (const struct command *c = commands; c->name && s.code == 0; c++)
        if (n == 0 || c == command_find(argv[1])) options_visit(c, show, &s);
    if (s.code != 0) {
        json_decref(s.list);
        return report(&s.err);
    }
    if (json) {
        json_t *object = json_object();
        json_put(&object, "options", s.list);
        print_json(object);
    }
    return 0;
}
