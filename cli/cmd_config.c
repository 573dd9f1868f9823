/* cmd_config.c - caelum config: what each option would be without a flag, and why. */
#include "cli.h"

#include "base/json.h"

#include <stdio.h>

static void show_value(const struct command *command, const struct option *o, const char *value,
                       json_t **list) {
    const char *origin = o->place ? o->place : "default";
    if (list) {
        json_add(list,
                 JSON({"command", json_string(command->name)}, {"option", json_string(o->row->name)},
                      {"value", value ? json_bytes(value) : json_null()}, {"origin", json_bytes(origin)}));
        return;
    }
    const int width = value ? printf("%s.%s = %s", command->name, o->row->name, value)
                            : printf("# %s.%s is not set", command->name, o->row->name);
    printf("%*s  # %s\n", width < 44 ? 44 - width : 0, "", origin);
}

/* Lines in the format of the files, or into `list`. */
static int show(const struct command *command, json_t **list, struct caelum_error *err) {
    struct options options;
    if (command->alone) return 0;
    options_open(&options, command);
    const int code = config_apply(&options, err);
    for (struct option *o = options.list; code == 0 && o < options.list + options.count; o++) {
        const struct option_words *words = o->row->kind == CAELUM_OPTION_LIST ? o->value : NULL;
        char text[64];
        if (option_by_hand(o->row)) continue;
        if (!words || words->count == 0) show_value(command, o, option_print(o->row, o->value, text), list);
        for (size_t i = 0; words && i < words->count; i++) show_value(command, o, words->word[i], list);
    }
    options_close(&options);
    return code;
}

struct config {
    bool json;
};

static const struct caelum_option rows[] = {
    OPTION(FLAG, struct config, 0, "json", json, NULL, "print a list as JSON"), END_OF_OPTIONS};

static int run(void *values, int n, char **words, struct caelum_error *err) {
    const struct config *c = values;
    const struct command *one;
    CHECK(command_argument("config", n, words, &one));
    json_t *list = c->json ? json_array() : NULL, *object = c->json ? json_object() : NULL;
    int code = 0;
    for (size_t i = 0; commands[i] && code == 0; i++)
        if (!one || one == commands[i]) code = show(commands[i], c->json ? &list : NULL, err);
    json_put(&object, "options", list);
    if (code == 0 && c->json)
        print_json(object);
    else
        json_decref(object);
    return code;
}

COMMAND(config, "[COMMAND]", "show each option's value and where it comes from", "caelum config train",
        .rows = rows, .alone = true, .size = sizeof(struct config), .run = run);
