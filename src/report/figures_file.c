/* figures_file.c - {"key": what the figures are of, "baselines": [figures]}. */
#include "report/figures_file.h"

#include "base/json.h"
#include "base/kept.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

json_t *figures_read(const char *path, const char *key) {
    const char *why;
    const int fd = kept_open(path, &why);
    if (fd < 0) return NULL;
    json_t *root = json_loadfd(fd, 0, NULL);
    close(fd);
    json_t *figures = json_object_get(root, "baselines");
    const char *found = json_string_value(json_object_get(root, "key"));
    const bool good = found && strcmp(found, key) == 0 && json_is_array(figures);
    if (good) json_incref(figures);
    json_decref(root);
    return good ? figures : NULL;
}

void figures_keep(const char *path, const char *key, json_t *figures) {
    struct file_writer writer = {0};
    json_t *root = json_object();
    json_put(&root, "key", json_string(key));
    json_put(&root, "baselines", figures);
    char *text = root ? json_dumps(root, JSON_INDENT(1)) : NULL;
    if (*path && text && kept_begin(&writer, path, NULL) == 0) {
        fputs(text, writer.stream);
        (void)file_commit(&writer, NULL);
    }
    json_decref(root);
    free(text);
}
