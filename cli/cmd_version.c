/* cmd_version.c - caelum version: what this build is and what it uses here. */
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* caelum_build_info is "COMPILER, NAME: WORD WORD..., NAME: ..."; the names become keys of lists. */
static void add_build(json_t *object) {
    char text[1024], *rest = NULL;
    snprintf(text, sizeof text, "%s", caelum_build_info());
    for (char *part = strtok_r(text, ",", &rest); part; part = strtok_r(NULL, ",", &rest)) {
        part += strspn(part, " ");
        char *colon = strchr(part, ':'), *next = NULL;
        if (!colon) {
            json_object_set_new(object, "compiler", json_string(part));
            continue;
        }
        *colon = '\0';
        json_t *words = json_array();
        for (char *word = strtok_r(colon + 1, " ", &next); word; word = strtok_r(NULL, " ", &next))
            json_array_append_new(words, json_string(word));
        json_object_set_new(object, part, words);
    }
}

int command_version(int argc, char **argv) {
    bool json = false, quiet = false;
    const struct option_row rows[] = {
        {0, "json", OPTION_FLAG, &json, NULL, "print all of it as JSON", NULL},
        {'q', "quiet", OPTION_FLAG, &quiet, NULL, "print the version number alone", NULL},
        {0, NULL, OPTION_FLAG, NULL, NULL, NULL, NULL}};
    const int n = options_read_alone(command_find("version"), rows, argc, argv);
    if (n < 0) return -n - 1;
    if (n > 0) return usage_error("version", "expected no arguments, got '%s'", argv[1]);
    struct caelum_error err;
    const char *cpu;
    if (quiet && !json) {
        puts(caelum_version());
        return 0;
    }
    if (caelum_cpu(&cpu, &err) != 0) return report(&err);
    if (json) {
        json_t *object = json_pack("{s:s}", "version", caelum_version());
        add_build(object);
        json_object_set_new(object, "instruction_set", json_string(cpu));
        json_object_set_new(object, "threads", json_integer(caelum_default_threads()));
        print_json(object);
    } else {
        printf("caelum %s\n%s\nkernels in use: %s, threads: %d\n", caelum_version(), caelum_build_info(), cpu,
               caelum_default_threads());
    }
    return 0;
}
