/* fuzz_text.c - networks, studies, settings and what runs have written. */
#define _GNU_SOURCE
#include "cli/config.c" /* what it keeps until the program ends has to go between two tries */

#include "fuzz.h"
#include "study/study_file.h"

void read_net(const char *path, const uint8_t *bytes, size_t size) {
    struct caelum_error err = {0};
    struct caelum_net_info info;
    struct caelum_layer_info layer;
    caelum_net *net = NULL, *again = NULL;
    (void)bytes, (void)size;
    const int code = caelum_net_load(&net, path, 32, 32, &err);
    fuzz_result(code, net != NULL, &err);
    if (!net) return;
    caelum_net_describe(net, &info);
    for (size_t i = 0; i < info.layers; i++) caelum_net_layer(net, i, &layer);
    fuzz_expect(caelum_net_parse(&again, caelum_net_text(net), "again", 32, 32, &err) == 0,
                "a text that is a network again");
    caelum_net_close(&again);
    caelum_net_close(&net);
}

void read_study(const char *path, const uint8_t *bytes, size_t size) {
    struct caelum_error err = {0};
    struct study *study = NULL;
    (void)bytes, (void)size;
    const int code = study_file_load(&study, path, &err);
    fuzz_result(code, study != NULL, &err);
    study_file_close(&study);
}

static void forget(struct file *f) {
    for (struct entry *e = f->entry; e < f->entry + f->count; e++)
        free(e->command), free(e->key), free(e->value), free(e->place);
    memset(f, 0, sizeof *f);
}

void read_conf(const char *path, const uint8_t *bytes, size_t size) {
    struct caelum_error err = {0};
    struct options options;
    (void)path, (void)bytes, (void)size;
    options_open(&options, &command_train);
    const int code = config_apply(&options, &err);
    fuzz_result(code, code == 0, &err);
    options_close(&options);
    forget(&here);
    forget(&user);
}

/* The file is one of three in a run directory, the others are right. */
void read_run(const char *path, const uint8_t *bytes, size_t size) {
    static const struct {
        const char *name, *text;
    } files[] = {
        {"run.json", "{\"settings\": {\"lr\": \"0.001\"}, \"parameters\": 8}"},
        {"eval.json", "{\"mse\": 0.5}"},
        {"metrics.csv", "epoch,loss,psnr,accuracy,val_loss,val_psnr,val_accuracy,seconds,"
                        "pictures_per_second,lr\n1,0.5,3,0.5,0.5,3,0.5,1,1,0.001\n"},
    };
    const char *const dirs[] = {"."};
    struct caelum_error err = {0};
    caelum_comparison *c = NULL;
    (void)bytes, (void)size;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (strcmp(files[i].name, path) != 0) fuzz_file(files[i].name, files[i].text, strlen(files[i].text));
    const int code = caelum_comparison_open(&c, dirs, 1, &err);
    fuzz_result(code, c != NULL, &err);
    if (!c) return;
    for (size_t i = 0; caelum_comparison_key(c, i); i++) (void)strlen(caelum_comparison_cell(c, 0, i));
    fuzz_expect(caelum_comparison_draw(c, "page.html", &err) == 0 || *err.text, "a page or a sentence");
    caelum_comparison_close(&c);
}
