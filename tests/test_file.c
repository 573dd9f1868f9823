/* test_file.c - where files are written, and what is there before and after. */
#define _GNU_SOURCE
#include "testing.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>

static void write_text(const char *path, const char *text) {
    assert_ok(file_write(path, text, strlen(text), err));
}

static void assert_text(const char *path, const char *text) {
    uint8_t *bytes = NULL;
    size_t size;
    assert_ok(file_read(path, 1000, &bytes, &size, err));
    assert_string_equal((const char *)bytes, text);
    mem_free(&bytes);
}

/* Names in the directory, hidden ones too, as ls has them. */
static void assert_names(const char *dir, const char *names) {
    char command[400], list[400] = "";
    snprintf(command, sizeof command, "ls -A '%s' | tr '\n' ' '", dir);
    FILE *f = popen(command, "r");
    if (!f) fail_msg("%s", command);
    if (!fgets(list, sizeof list, f)) list[0] = '\0';
    pclose(f);
    assert_string_equal(list, names);
}

static mode_t mode_of(const char *path) {
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static void a_files_permissions_are_kept(void **state) {
    (void)state;
    char dir[256], path[300];
    test_directory(dir);
    snprintf(path, sizeof path, "%s/f", dir);
    const mode_t mask = umask(022);
    write_text(path, "first");
    assert_int_equal(mode_of(path), 0644);
    chmod(path, 0600);
    write_text(path, "second");
    assert_int_equal(mode_of(path), 0600);
    chmod(path, 0664);
    write_text(path, "third");
    assert_int_equal(mode_of(path), 0664);
    umask(mask);
    assert_text(path, "third");
    assert_names(dir, "f ");
    test_remove(dir);
}

static void a_link_stays_and_its_target_is_written(void **state) {
    (void)state;
    char dir[256], path[300], target[300], twice[300], loop[300];
    struct stat st;
    test_directory(dir);
    snprintf(path, sizeof path, "%s/link", dir);
    snprintf(twice, sizeof twice, "%s/twice", dir);
    snprintf(target, sizeof target, "%s/below/target", dir);
    snprintf(loop, sizeof loop, "%s/loop", dir);
    char below[300];
    snprintf(below, sizeof below, "%s/below", dir);
    assert_int_equal(mkdir(below, 0777), 0);
    assert_int_equal(symlink("below/target", path), 0);
    assert_int_equal(symlink(path, twice), 0);
    assert_int_equal(symlink("loop", loop), 0);
    write_text(path, "through a link to nothing");
    assert_text(target, "through a link to nothing");
    write_text(twice, "through two");
    assert_text(target, "through two");
    assert_int_equal(lstat(path, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_error(CAELUM_EIO, "loop: can't be written", file_write(loop, "x", 1, err));
    assert_names(dir, "below link loop twice ");
    assert_names(below, "target ");
    test_remove(dir);
}

/* NAME_MAX is 255; the directory's path may be longer than what is left of PATH_MAX for a longer name. */
static void long_names_and_paths_are_written(void **state) {
    (void)state;
    char dir[256], path[PATH_SIZE + 8], name[256];
    test_directory(dir);
    for (size_t length = 240; length <= 255; length += 5) {
        memset(name, 'n', length);
        name[length] = '\0';
        snprintf(path, sizeof path, "%s/%s", dir, name);
        write_text(path, "whole");
        assert_text(path, "whole");
    }
    test_remove(dir);
    test_directory(dir);
    size_t used = (size_t)snprintf(path, sizeof path, "%s", dir);
    while (used + 202 < PATH_SIZE - 2)
        used += (size_t)snprintf(path + used, sizeof path - used, "/%0200d", 0);
    assert_ok(file_make_directory(path, err));
    used += (size_t)snprintf(path + used, sizeof path - used, "/");
    while (used < PATH_SIZE - 1) path[used++] = 'p'; /* the longest path that there is */
    path[used] = '\0';
    write_text(path, "whole");
    assert_text(path, "whole");
    path[used++] = 'p';
    path[used] = '\0';
    assert_error(CAELUM_EUSAGE, "longer than 4095 bytes", file_write(path, "x", 1, err));
    assert_error(CAELUM_EUSAGE, "longer than 4095 bytes", file_make_directory(path, err));
    test_remove(dir);
}

static void *read_pipe(void *path) {
    char *text = calloc(1, 100);
    FILE *f = fopen(path, "rb");
    if (f && text && !fgets(text, 100, f)) text[0] = '\0';
    if (f) fclose(f);
    return text;
}

static void devices_and_pipes_are_written_not_replaced(void **state) {
    (void)state;
    char dir[256], path[300];
    struct stat st;
    void *text;
    pthread_t reader;
    test_directory(dir);
    snprintf(path, sizeof path, "%s/pipe", dir);
    write_text("/dev/null", "nothing");
    assert_int_equal(stat("/dev/null", &st), 0);
    assert_true(S_ISCHR(st.st_mode));
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(pthread_create(&reader, NULL, read_pipe, path), 0);
    write_text(path, "into the pipe");
    pthread_join(reader, &text);
    assert_string_equal(text, "into the pipe");
    free(text);
    assert_int_equal(stat(path, &st), 0);
    assert_true(S_ISFIFO(st.st_mode));
    assert_names(dir, "pipe ");
    assert_error(CAELUM_EIO, "Is a directory", file_write(dir, "x", 1, err));
    if (access("/dev/full", W_OK) == 0)
        assert_error(CAELUM_EIO, "/dev/full: not written", file_write("/dev/full", "x", 1, err));
    test_remove(dir);
}

/* As "program -o /dev/fd/N N>>log" has it: what is there stays. */
static void a_descriptor_is_written_where_it_stands(void **state) {
    (void)state;
    char dir[256], path[300], name[40];
    test_directory(dir);
    snprintf(path, sizeof path, "%s/log", dir);
    write_text(path, "before ");
    const int fd = open(path, O_WRONLY | O_APPEND);
    assert_true(fd >= 0);
    snprintf(name, sizeof name, "/dev/fd/%d", fd);
    write_text(name, "and after");
    close(fd);
    assert_text(path, "before and after");
    test_remove(dir);
}

static void what_is_no_file_is_not_read(void **state) {
    (void)state;
    char dir[256], path[300];
    uint8_t *bytes = NULL;
    size_t size;
    struct file_map map;
    test_directory(dir);
    snprintf(path, sizeof path, "%s/x.png", dir);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_error(CAELUM_EIO, "x.png is a pipe, expected a file", file_read(path, 10, &bytes, &size, err));
    assert_error(CAELUM_EIO, "x.png is a pipe, expected a file", file_map_open(&map, path, err));
    assert_error(CAELUM_EIO, "is a directory, expected a file", file_read(dir, 10, &bytes, &size, err));
    assert_error(CAELUM_EIO, "is a directory, expected a file", file_read_any(dir, 10, &bytes, &size, err));
    assert_error(CAELUM_EIO, "/dev/null is a device", file_read("/dev/null", 10, &bytes, &size, err));
    test_remove(dir);
}

struct piped {
    const char *path;
    size_t size;
};

static void *write_pipe(void *cookie) {
    const struct piped *p = cookie;
    FILE *f = fopen(p->path, "wb");
    for (size_t i = 0; f && i < p->size; i++) fputc((int)(i * 7 % 251), f);
    if (f) fclose(f);
    return NULL;
}

static void pipes_are_read_where_they_are_asked_for(void **state) {
    (void)state;
    static const size_t sizes[] = {0, 5, 65536, 65537, 300000};
    char dir[256], path[300];
    test_directory(dir);
    snprintf(path, sizeof path, "%s/pipe", dir);
    assert_int_equal(mkfifo(path, 0600), 0);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct piped p = {path, sizes[i]};
        pthread_t writer;
        uint8_t *bytes = NULL;
        size_t size;
        assert_int_equal(pthread_create(&writer, NULL, write_pipe, &p), 0);
        assert_ok(file_read_any(path, 300000, &bytes, &size, err));
        pthread_join(writer, NULL);
        assert_int_equal(size, sizes[i]);
        for (size_t b = 0; b < size; b++)
            if (bytes[b] != b * 7 % 251) fail_msg("byte %zu of %zu", b, size);
        assert_int_equal(bytes[size], 0);
        mem_free(&bytes);
    }
    signal(SIGPIPE, SIG_IGN);
    for (size_t limit = 4; limit <= 70000; limit += 69996) {
        struct piped p = {path, limit + 1};
        pthread_t writer;
        uint8_t *bytes = NULL;
        size_t size;
        assert_int_equal(pthread_create(&writer, NULL, write_pipe, &p), 0);
        assert_error(CAELUM_EFORMAT, "longer than the limit", file_read_any(path, limit, &bytes, &size, err));
        pthread_join(writer, NULL);
    }
    signal(SIGPIPE, SIG_DFL);
    test_remove(dir);
}

static void on_alarm(int number) {
    (void)number;
}

/* The handler is set as the program sets it: what can be begun again is. */
static void a_signal_ends_the_waiting_for_a_pipe(void **state) {
    (void)state;
    const struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    char dir[256], path[300];
    uint8_t *bytes = NULL;
    size_t size;
    test_directory(dir);
    snprintf(path, sizeof path, "%s/pipe", dir);
    assert_int_equal(mkfifo(path, 0600), 0);
    sigaction(SIGALRM, &action, NULL);
    alarm(1);
    assert_error(CAELUM_ESTOPPED, "stopped reading", file_read_any(path, 10, &bytes, &size, err));
    alarm(1);
    assert_error(CAELUM_ESTOPPED, "can't be written", file_write(path, "x", 1, err));
    test_remove(dir);
}

/* A process that is killed while it writes leaves nothing; what another version or file system left is swept,
 * but not what somebody is writing. */
static void killed_writers_leave_nothing(void **state) {
    (void)state;
    char dir[256], path[300], old[300], busy[300];
    test_directory(dir);
    snprintf(path, sizeof path, "%s/f", dir);
    snprintf(old, sizeof old, "%s/.caelum-123-0.tmp", dir);
    snprintf(busy, sizeof busy, "%s/.caelum-124-0.tmp", dir);
    const pid_t child = fork();
    if (child == 0) {
        struct file_writer w;
        if (file_begin(&w, path, NULL) == 0) fputs("half of it", w.stream), fflush(w.stream);
        raise(SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    const int probe = open(dir, O_TMPFILE | O_WRONLY, 0600);
    if (probe >= 0)
        assert_names(dir, "");
    else
        print_message("no unnamed files here: only sweeping is tried\n");
    if (probe >= 0) close(probe);
    write_text(old, "left");
    write_text(busy, "under way");
    const int fd = open(busy, O_RDONLY);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    file_sweep(dir);
    assert_names(dir, ".caelum-124-0.tmp ");
    close(fd);
    file_sweep(dir);
    assert_names(dir, "");
    test_remove(dir);
}

static void one_of_many_gets_a_new_directory(void **state) {
    (void)state;
    char dir[256], path[300];
    test_directory(dir);
    snprintf(path, sizeof path, "%s/a/b/", dir);
    assert_ok(file_make_new_directory(path, err));
    assert_error(CAELUM_EIO, "a/b: somebody else has made it", file_make_new_directory(path, err));
    assert_ok(file_make_directory(path, err));
    write_text(strcat(path, "f"), "x");
    assert_error(CAELUM_EIO, "can't be made", file_make_directory(path, err));
    test_remove(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_files_permissions_are_kept),
        cmocka_unit_test(a_link_stays_and_its_target_is_written),
        cmocka_unit_test(long_names_and_paths_are_written),
        cmocka_unit_test(devices_and_pipes_are_written_not_replaced),
        cmocka_unit_test(a_descriptor_is_written_where_it_stands),
        cmocka_unit_test(what_is_no_file_is_not_read),
        cmocka_unit_test(pipes_are_read_where_they_are_asked_for),
        cmocka_unit_test(a_signal_ends_the_waiting_for_a_pipe),
        cmocka_unit_test(killed_writers_leave_nothing),
        cmocka_unit_test(one_of_many_gets_a_new_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
