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

struct version {
    bool json, quiet;
};

static const struct caelum_option rows[] = {
    OPTION(FLAG, struct version, 0, "json", json, NULL, "print all of it as JSON"),
    OPTION(FLAG, struct version, 'q', "quiet", quiet, NULL, "print the version number alone"),
    END_OF_OPTIONS};

static int run(void *values, int n, char **words, struct caelum_error *err) {
    const struct version *v = values;
    const char *cpu;
    if (n > 0) return usage_error("version", "expected no arguments, got '%s'", words[0]);
    if (v->quiet && !v->json) return puts(caelum_version()), 0;
    CHECK(caelum_cpu(&cpu, err));
    if (!v->json) {
        printf("caelum %s\n%s\nkernels in use: %s, threads: %d\n", caelum_version(), caelum_build_info(), cpu,
               caelum_default_threads());
        return 0;
    }
    json_t *object = json_pack("{s:s}", "version", caelum_version());
    add_build(object);
    json_object_set_new(object, "instruction_set", json_string(cpu));
    json_object_set_new(object, "threads", json_integer(caelum_default_threads()));
    print_json(object);
    return 0;
}

COMMAND(version, "", "version, build and instruction set in use", "caelum version", .rows = rows,
        .alone = true, .size = sizeof(struct version), .run = run);
