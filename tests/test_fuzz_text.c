/* test_fuzz_text.c - damaged texts: each is either a network, which then runs, or a study, or a complaint;
 * never a crash (the sanitizers watch). The damage is a function of CAELUM_SEED, printed on failure. */
#include "random_net.h"

#include "study/study_file.h"

#include <signal.h>

enum { TEXTS = 60, VARIANTS = 250, STUDIES = 5000, MOST_TEXT = 8000, MOST_RUN = 60000 };

static char text[MOST_TEXT + 1];
static size_t length;

/* Puts `with` in place of `n` bytes from `at` on; leaves the text alone where it would grow too long. */
static void replace(size_t at, size_t n, const char *with) {
    const size_t size = strlen(with);
    if (length - n + size > MOST_TEXT) return;
    memmove(text + at + size, text + at + n, length - at - n + 1);
    memcpy(text + at, with, size);
    length += size - n;
}

/* A random line: its first byte and its length with the newline. */
static size_t some_line(struct rng *rng, size_t *size) {
    size_t at = length ? rng_below(rng, (uint32_t)length) : 0;
    while (at > 0 && text[at - 1] != '\n') at--;
    *size = strcspn(text + at, "\n");
    *size += text[at + *size] == '\n';
    return at;
}

static void flip_bits(struct rng *rng) {
    const char bit = (char)(1 << rng_below(rng, 8));
    if (length) text[rng_below(rng, (uint32_t)length)] ^= bit;
    length = strlen(text);
}

static void random_byte(struct rng *rng) {
    const char byte[2] = {(char)(1 + rng_below(rng, 255)), 0};
    replace(rng_below(rng, (uint32_t)length + 1), 0, byte);
}

static void delete_bytes(struct rng *rng) {
    const size_t at = rng_below(rng, (uint32_t)length + 1);
    replace(at, random_less(rng_below(rng, 12), length - at), "");
}

static void copy_line(struct rng *rng, bool move) {
    char line[MOST_TEXT + 1];
    size_t size;
    const size_t from = some_line(rng, &size);
    memcpy(line, text + from, size);
    line[size] = '\0';
    if (move) replace(from, size, "");
    const size_t to = some_line(rng, &size);
    replace(to, 0, line);
}

/* Words of the format itself, of studies, and what is no word; those of layers come from their tables. */
static const char *const words[] = {"0",
                                    "1",
                                    "2",
                                    "7",
                                    "00000000000003",
                                    "-1",
                                    "1e9",
                                    "0.5",
                                    "1024",
                                    "65535",
                                    "65536",
                                    "268435456",
                                    "4294967295",
                                    "4294967296",
                                    "9223372036854775807",
                                    "18446744073709551615",
                                    "18446744073709551616",
                                    "99999999999999999999999999999999",
                                    "nan",
                                    "inf",
                                    "=",
                                    "==",
                                    "#",
                                    "s0",
                                    "s1",
                                    "s2",
                                    "input",
                                    "latent",
                                    "seeds=18446744073709551615",
                                    "seeds=0..18446744073709551615",
                                    "seeds=1..32,40",
                                    "epochs=18446744073709551616",
                                    "lr=1e999",
                                    "mse<=0x1p2000",
                                    "section",
                                    "run",
                                    "also",
                                    "reference",
                                    "claim",
                                    "show",
                                    "\"",
                                    "",
                                    " ",
                                    "\n",
                                    "\r\n",
                                    "\xc3\xa4"};

/* A layer's word, or something of an attribute that some layer has: a word of its list, or its key with an
 * odd value. */
static void layer_word(struct rng *rng, char word[100]) {
    static const char *const odd[] = {"", "0", "7", "64", "-1", "18446744073709551615"};
    size_t layers = 0, rows = 0, choices = 0;
    while (layers_all()[layers]) layers++;
    const struct layer_ops *ops = layers_all()[rng_below(rng, (uint32_t)layers)];
    while (ops->attributes && ops->attributes[rows].name) rows++;
    snprintf(word, 100, "%s", ops->name);
    if (rows == 0 || rng_below(rng, 2)) return;
    const struct attribute *a = &ops->attributes[rng_below(rng, (uint32_t)rows)];
    const bool key = a->kind == ATTRIBUTE_KEY || a->kind == ATTRIBUTE_CHOICE;
    while (a->words && a->words[choices]) choices++;
    const char *value = choices && rng_below(rng, 4) ? a->words[rng_below(rng, (uint32_t)choices)]
                                                     : odd[rng_below(rng, sizeof odd / sizeof *odd)];
    snprintf(word, 100, "%s%s%s", key ? a->name : "", key ? "=" : "", value);
}

/* A word, or the number in it, becomes another one. */
static void other_word(struct rng *rng) {
    char word[100];
    size_t at = rng_below(rng, (uint32_t)length + 1);
    if (rng_below(rng, 2)) /* after a "k=" or where a word starts */
        while (at > 0 && !strchr(" \n=", text[at - 1])) at--;
    if (rng_below(rng, 3))
        snprintf(word, sizeof word, "%s", words[rng_below(rng, sizeof words / sizeof *words)]);
    else
        layer_word(rng, word);
    replace(at, strcspn(text + at, " \n"), word);
}

static void long_run(struct rng *rng) {
    static const char *const units[] = {
        "a", "9", " ", "\n", "relu ", "\nupsample 64", "\nconv 9 k=7", "\nsave s", "\nmaxpool 1"};
    const char *unit = units[rng_below(rng, sizeof units / sizeof *units)];
    const size_t at = rng_below(rng, (uint32_t)length + 1);
    for (size_t n = rng_below(rng, 600); n > 0; n--) replace(at, 0, unit);
}

static void damage(struct rng *rng) {
    switch (rng_below(rng, 10)) {
    case 0:
        flip_bits(rng);
        break;
    case 1:
        random_byte(rng);
        break;
    case 2:
        delete_bytes(rng);
        break;
    case 3:
        copy_line(rng, false);
        break;
    case 4:
    case 5:
        copy_line(rng, true);
        break;
    case 6:
        if (rng_below(rng, 4) == 0) long_run(rng);
        break;
    default:
        other_word(rng);
    }
}

/* What parsed is described, and run if it is small. */
static void use(const struct caelum_net *net) {
    struct caelum_net_info info;
    struct caelum_layer_info row;
    struct net_workspace ws;
    float *params = NULL, *packed = NULL, *grads = NULL;
    const struct kernels *kernels = kernels_get(cpu_detect());
    size_t work = net->input.c * net->input.h * net->input.w + net->params + net->packed;
    for (size_t s = 0; s < net->steps; s++) work += net->step[s].sizes.scratch;
    caelum_net_describe(net, &info);
    for (size_t i = 0; i < info.layers; i++) {
        caelum_net_layer(net, i, &row);
        work += row.channels * row.height * row.width;
    }
    if (work > MOST_RUN || info.macs > 10 * MOST_RUN) return;
    assert_ok(net_workspace_open(&ws, net, kernels->lanes, true, err));
    assert_ok(mem_alloc(&params, net->params, sizeof(float), err));
    assert_ok(mem_alloc(&packed, net->packed, sizeof(float), err));
    assert_ok(mem_alloc(&grads, MOST_LANES / SUM_LANES * net->params, sizeof(float), err));
    net_init(net, 1, params);
    net_pack(net, params, packed);
    net_forward(net, kernels, params, packed, &ws);
    net_backward(net, kernels, params, packed, &ws, grads);
    mem_free(&params), mem_free(&packed), mem_free(&grads);
    net_workspace_close(&ws);
}

/* A crash shows the text, too. */
static void on_crash(int number) {
    const char message[] = "crashed on this text:\n";
    if (write(2, message, sizeof message - 1) < 0 || write(2, text, length) < 0) _exit(2);
    signal(number, SIG_DFL);
    raise(number);
}

static void damaged_texts_parse_or_complain(void **state) {
    (void)state;
    const char *seed_text = getenv("CAELUM_SEED");
    const uint64_t seed = seed_text ? strtoull(seed_text, NULL, 10) : 1;
    size_t parsed = 0;
    signal(SIGSEGV, on_crash), signal(SIGFPE, on_crash), signal(SIGABRT, on_crash);
    for (uint32_t i = 0; i < TEXTS; i++) {
        struct random_net n;
        (i % 2 ? random_any_net : random_net)(&n, seed * 1000 + i);
        for (uint32_t j = 0; j < VARIANTS; j++) {
            struct rng rng = rng_make(seed, RNG_TEST, i * VARIANTS + j);
            struct caelum_net *net = NULL;
            struct caelum_error err = {0};
            strcpy(text, n.text);
            length = strlen(text);
            for (size_t times = 1 + rng_below(&rng, 4); times > 0; times--) damage(&rng);
            const int code = caelum_net_parse(&net, text, "fuzz", n.h, n.w, &err);
            if (code == 0) {
                parsed++;
                use(net);
                caelum_net_close(&net);
            } else if ((code != CAELUM_EFORMAT && code != CAELUM_ERESOURCE && code != CAELUM_EUSAGE) ||
                       code != err.code || err.text[0] == '\0' || strchr(err.text, '\n') || net != NULL) {
                fail_msg("seed %llu, text %u, variant %u: code %d, '%s'\n%s", (unsigned long long)seed, i, j,
                         code, err.text, text);
            }
        }
    }
    signal(SIGSEGV, SIG_DFL), signal(SIGFPE, SIG_DFL), signal(SIGABRT, SIG_DFL);
    assert_true(parsed > TEXTS * VARIANTS / 20 && parsed < TEXTS * VARIANTS * 19 / 20);
}

/* What loaded holds together. */
static void check_study(const struct study *s) {
    assert_in_range(s->runs, 1, STUDY_RUNS);
    for (size_t i = 0; i < s->runs; i++) assert_in_range(s->run[i].seeds, 1, STUDY_SEEDS);
    for (size_t i = 0; i < s->entries; i++) {
        assert_true(s->entry[i].run < s->runs && s->entry[i].section < s->sections);
        assert_in_range(s->entry[i].references, 0, STUDY_REFERENCES);
    }
    for (size_t i = 0; i < s->claims; i++)
        assert_true(s->claim[i].left < s->runs && s->claim[i].right < s->runs);
    for (size_t i = 0; i < s->shows; i++)
        assert_true(s->show[i].run < s->runs && s->show[i].section < s->sections);
}

static void damaged_studies_load_or_complain(void **state) {
    static const char sample[] =
        "title \"A study\"\nsource \"them\"\nfigure f = 2 * mse\ndefaults epochs=7 lr=0.01 seeds=2..4\n"
        "section one \"One\"\nabout \"why\"\nrun a x.net\n"
        "  reference mse=0.5 accuracy>=0.25 seconds<=1e3\n"
        "run b y.net batch=9 task=colorize data=synthetic seeds=8,1 # c\n"
        "section two \"Two\"\nalso a\n  reference mse=0.25\n"
        "claim a >= b \"said\"\nshow sheet b\nshow latent\nshow curves\n";
    const char *seed_text = getenv("CAELUM_SEED");
    const uint64_t seed = seed_text ? strtoull(seed_text, NULL, 10) : 1;
    char scratch[256], path[300];
    size_t loaded = 0;
    (void)state;
    test_directory(scratch);
    snprintf(path, sizeof path, "%s/a.study", scratch);
    signal(SIGSEGV, on_crash), signal(SIGFPE, on_crash), signal(SIGABRT, on_crash);
    for (uint32_t i = 0; i < STUDIES; i++) {
        struct rng rng = rng_make(seed, RNG_TEST, TEXTS * VARIANTS + i);
        struct study *study = NULL;
        struct caelum_error err = {0};
        strcpy(text, sample);
        length = strlen(text);
        for (size_t times = 1 + rng_below(&rng, 4); times > 0; times--) damage(&rng);
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        fwrite(text, 1, length, f);
        fclose(f);
        const int code = study_file_load(&study, path, &err);
        if (code == 0) {
            loaded++;
            check_study(study);
            study_file_close(&study);
        } else if (code != CAELUM_EFORMAT || code != err.code || !err.text[0] || study) {
            fail_msg("seed %llu, study %u: code %d, '%s'\n%s", (unsigned long long)seed, i, code, err.text,
                     text);
        }
    }
    signal(SIGSEGV, SIG_DFL), signal(SIGFPE, SIG_DFL), signal(SIGABRT, SIG_DFL);
    test_remove(scratch);
    assert_true(loaded > STUDIES / 20 && loaded < STUDIES * 19 / 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(damaged_texts_parse_or_complain),
                                       cmocka_unit_test(damaged_studies_load_or_complain)};
    return cmocka_run_group_tests_name("fuzz_text", tests, NULL, NULL);
}
