/* test_tree.c - what of a directory belongs to a data set, and what is left out and counted. */
#include "testing.h"

#include "base/file.h"
#include "data/tree.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

/* A file and the folders it is in; the walk looks at names alone. */
static void touch(const char *name) {
    char folder[PATH_SIZE];
    snprintf(folder, sizeof folder, "%s", test_path(name));
    *strrchr(folder, '/') = '\0';
    assert_ok(file_make_directory(folder, err));
    assert_ok(file_write(test_path(name), "x", 1, err));
}

static void begin(const char *const *names, size_t n) {
    test_remove(test_root);
    assert_ok(file_make_directory(test_root, err));
    for (size_t i = 0; i < n; i++) touch(names[i]);
}

/* Expects these pictures, in this order, and these words on all else. */
static void assert_found(const char *const *names, size_t n, const char *left_out) {
    struct tree tree = {0};
    char text[TREE_LEFT_TEXT];
    assert_ok(tree_find(&tree, test_root, err));
    for (size_t i = 0; i < n && i < tree.count; i++) assert_string_equal(tree.file[i].path, names[i]);
    assert_int_equal(tree.count, n);
    tree_left_out(&tree, text);
    assert_string_equal(text, left_out);
    tree_close(&tree);
}
#define COUNT(names) (sizeof(names) / sizeof *(names))

/* By what they hold, not by their names; a folder called runs with photos in it is one of photos. */
static void run_directories_are_left_out(void **state) {
    (void)state;
    static const char *const names[] = {"a.png",
                                        "runs/standard/run.json",
                                        "runs/standard/metrics.csv",
                                        "runs/standard/colorizations.png",
                                        "x/y/run.json",
                                        "x/y/checkpoint.safetensors",
                                        "x/y/more/reconstructions.png",
                                        "runs/2024.jpg",
                                        "run/run.json",
                                        "run/b.png",
                                        "only/metrics.csv",
                                        "only/c.png"};
    static const char *const wanted[] = {"a.png", "only/c.png", "run/b.png", "runs/2024.jpg"};
    begin(names, COUNT(names));
    assert_found(wanted, COUNT(wanted), "2 runs of caelum");
}

/* Only next to the picture that they were made of, whatever its ending. */
static void colorized_pictures_are_left_out(void **state) {
    (void)state;
    static const char *const names[] = {"a.png",
                                        "a-color.png",
                                        "b.JPG",
                                        "b-color.webp",
                                        "b-color-color.png",
                                        "c-color.png",
                                        "d/a-color.png",
                                        "e.v2.png",
                                        "e.v2-color.png",
                                        "e-color.png",
                                        "-color.png",
                                        "colors/f.jpeg",
                                        "colors/f-color.jpg",
                                        "colors/f-zebra.png",
                                        "f-color.png",
                                        "g.png",
                                        "g-color.txt",
                                        "h-b.png",
                                        "h-color.png"};
    static const char *const wanted[] = {
        "-color.png",    "a.png",         "b.JPG",       "c-color.png", "colors/f-zebra.png",
        "colors/f.jpeg", "d/a-color.png", "e-color.png", "e.v2.png",    "f-color.png",
        "g.png",         "h-b.png",       "h-color.png"};
    begin(names, COUNT(names));
    assert_found(wanted, COUNT(wanted), "5 colorized pictures");
}

static void what_systems_put_there_is_left_out(void **state) {
    (void)state;
    static const char *const names[] = {"a.png",
                                        ".thumbnails/normal/1.png",
                                        ".@__thumb/a.jpg",
                                        ".b.png",
                                        "._a.png",
                                        ".DS_Store",
                                        "Thumbs.db",
                                        "@eaDir/a.png/SYNOPHOTO_THUMB_XL.jpg",
                                        "x/@eaDir/SYNOPHOTO_THUMB_M.jpg",
                                        "#recycle/old.png",
                                        "$Recycle.Bin/S-1-5/$R1.jpg",
                                        "__MACOSX/._a.png",
                                        "System Volume Information/1.png",
                                        "x/thumbnails/c.png"};
    static const char *const wanted[] = {"a.png", "x/thumbnails/c.png"};
    begin(names, COUNT(names));
    assert_found(wanted, COUNT(wanted), "6 folders of thumbnails or deleted files, 4 hidden");
}

/* None of them may be opened: a pipe would be waited for. */
static void what_is_no_file_is_left_out(void **state) {
    (void)state;
    static const char *const names[] = {"a.png"};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    begin(names, 1);
    assert_int_equal(mkfifo(test_path("p.png"), 0600), 0);
    assert_int_equal(mkfifo(test_path("pipe"), 0600), 0);
    assert_int_equal(symlink("/dev/zero", test_path("zero.jpg")), 0);
    assert_int_equal(symlink(".", test_path("loop")), 0);
    assert_int_equal(chdir(test_root), 0);
    snprintf(address.sun_path, sizeof address.sun_path, "s.webp");
    const int socket_there = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(socket_there, (const struct sockaddr *)&address, sizeof address), 0);
    alarm(60);
    assert_found(names, 1, "1 link to a folder, 3 that are no files");
    alarm(0);
    close(socket_there);
    assert_int_equal(chdir("/"), 0);
}

/* In a process of its own, which can give up being root, to whom every folder is open. */
static int look_as_somebody(void) {
    struct caelum_error err;
    struct tree tree = {0};
    char text[TREE_LEFT_TEXT];
    if (getuid() == 0 && setuid(65534) != 0) return 77;
    if (access(test_path("a.png"), R_OK) != 0) return 77; /* a build directory that nobody else can reach */
    if (tree_find(&tree, test_root, &err) != 0 || tree.count != 1) return 1;
    tree_left_out(&tree, text);
    return strncmp(text, "2 folders that can't be read (such as ", 38) != 0;
}

static void unreadable_folders_are_left_out(void **state) {
    (void)state;
    static const char *const names[] = {"a.png", "private/b.png", "listed/c.png", "listed/below/d.png"};
    static const char *const all[] = {"a.png", "listed/below/d.png", "listed/c.png", "private/b.png"};
    int status;
    begin(names, COUNT(names));
    assert_int_equal(chmod(test_path("private"), 0), 0);
    assert_int_equal(chmod(test_path("listed"), 0444), 0);
    assert_int_equal(chmod(test_root, 0755), 0);
    const pid_t child = fork();
    if (child == 0) _exit(look_as_somebody());
    assert_int_equal(waitpid(child, &status, 0), child);
    chmod(test_path("private"), 0755), chmod(test_path("listed"), 0755);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) skip();
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_found(all, COUNT(all), "");
    struct tree tree = {0};
    assert_error(CAELUM_EIO, "nowhere: No such file", tree_find(&tree, test_path("nowhere"), err));
}

/* Paths of nearly PATH_MAX bytes, which are not UTF-8. */
static void long_names_are_found(void **state) {
    (void)state;
    struct tree tree = {0};
    char part[220], path[PATH_SIZE] = "";
    begin(NULL, 0);
    memset(part, 0xe9, sizeof part);
    part[sizeof part - 1] = '\0';
    assert_int_equal(chdir(test_root), 0);
    for (size_t i = 0; i < 12; i++) {
        assert_int_equal(mkdir(part, 0755), 0);
        assert_int_equal(chdir(part), 0);
        strcat(strcat(path, part), "/");
    }
    assert_ok(file_write("\xe4.png", "x", 1, err));
    assert_int_equal(chdir("/"), 0);
    assert_ok(tree_find(&tree, test_root, err));
    assert_int_equal(tree.count, 1);
    assert_string_equal(tree.file[0].path, strcat(path, "\xe4.png"));
    assert_int_equal(tree.file[0].identity.bytes, 1);
    tree_close(&tree);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_directories_are_left_out),
        cmocka_unit_test(colorized_pictures_are_left_out),
        cmocka_unit_test(what_systems_put_there_is_left_out),
        cmocka_unit_test(what_is_no_file_is_left_out),
        cmocka_unit_test(unreadable_folders_are_left_out),
        cmocka_unit_test(long_names_are_found),
    };
    return cmocka_run_group_tests_name("tree", tests, test_open_root, test_close_root);
}
