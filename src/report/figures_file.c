/* figures_file.c - {"key": what the figures are of, "baselines": [figures]}. */
#include "report/figures_file.h"

#include "base/file.h"

#include <stdlib.h>
#include <string.h>

json_t *figures_read(const char *path, const char *key) {
    json_t *root = json_load_file(path, 0, NULL);
    json_t *figures = json_object_get(root, "baselines");
    const char *found = json_string_value(json_object_get(root, "key"));
    const bool good = found && strcmp(found, key) == 0 && json_is_array(figures);
    if (good) json_incref(figures);
    json_decref(root);
    return good ? figures : NULL;
}

int figures_write(const char *path, const char *key, json_t *figures, struct caelum_error *err) {
    json_t *root = json_pack("{s:s, s:o}", "key", key, "baselines", figures);
    char *text = json_dumps(root, JSON_INDENT(1));
    json_decref(root);
    if (!text) return caelum_fail(err, CAELUM_ERESOURCE, "%s: out of memory", path);
    const int result = file_write(path, text, strlen(text), err);
    free(text);
    return result;
}
