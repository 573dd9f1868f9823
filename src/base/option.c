/* option.c - see option.h. */
#include "base/option.h"

#include "base/number.h"
#include "base/parallel.h"

#include <math.h>
#include <string.h>

static bool read_flag(const char *text, bool *value) {
    static const char *const words[] = {"no", "yes", "false", "true", "off", "on", "0", "1"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(text, words[i]) == 0) {
            *value = i % 2 == 1;
            return true;
        }
    return false;
}

/* Enums are ints, and unsigned to some compilers: only the bytes are alike. */
static bool read_word(const char *const *words, const char *text, void *value) {
    for (int i = 0; words[i]; i++)
        if (strcmp(text, words[i]) == 0) {
            memcpy(value, &i, sizeof i);
            return true;
        }
    return false;
}

static bool read_real(const char *text, double *value) {
    double number;
    if (!number_real(text, &number) || !isfinite(number)) return false;
    *value = number;
    return true;
}

bool option_read(const struct caelum_option *option, void *value, const char *text) {
    uint64_t number;
    switch (option->kind) {
    case CAELUM_OPTION_FLAG:
        return read_flag(text, value);
    case CAELUM_OPTION_WORD:
        return read_word(option->words, text, value);
    case CAELUM_OPTION_REAL:
        return read_real(text, value);
    case CAELUM_OPTION_SIZE:
        if (!number_whole(text, 0, SIZE_MAX, &number)) return false;
        *(size_t *)value = (size_t)number;
        return true;
    case CAELUM_OPTION_U64:
        return number_whole(text, 0, UINT64_MAX, value);
    case CAELUM_OPTION_THREADS:
        if (!number_whole(text, 1, 4096, &number)) return false;
        *(int *)value = (int)number;
        return true;
    case CAELUM_OPTION_STRING:
        *(const char **)value = text;
        return true;
    case CAELUM_OPTION_LIST:
        break;
    }
    return false;
}

static const char *print_real(double value, char text[64]) {
    for (int digits = 6; digits <= 17; digits++) {
        double back;
        number_print(text, 64, "%.*g", digits, value);
        if (number_real(text, &back) && back == value) break;
    }
    return text;
}

const char *option_print(const struct caelum_option *option, const void *value, char text[64]) {
    int i;
    switch (option->kind) {
    case CAELUM_OPTION_FLAG:
        return *(const bool *)value ? "yes" : "no";
    case CAELUM_OPTION_WORD:
        memcpy(&i, value, sizeof i);
        return option->words[i];
    case CAELUM_OPTION_REAL:
        return print_real(*(const double *)value, text);
    case CAELUM_OPTION_SIZE:
        snprintf(text, 64, "%zu", *(const size_t *)value);
        return text;
    case CAELUM_OPTION_U64:
        snprintf(text, 64, "%llu", (unsigned long long)*(const uint64_t *)value);
        return text;
    case CAELUM_OPTION_THREADS:
        i = *(const int *)value;
        snprintf(text, 64, "%d", i ? i : parallel_default_threads());
        return text;
    case CAELUM_OPTION_STRING:
        return *(const char *const *)value;
    case CAELUM_OPTION_LIST:
        break;
    }
    return NULL;
}
