/* fail.c - preloaded into a program: of its calls that can fail, from main() on, the one numbered FAIL_AT
 * fails. The file FAIL_REPORT gets the call that failed with where it was made. With FAIL_AT=0 none fails,
 * and it gets a line for each, the same for those that were made at the same place: with the same frames
 * above.  The program has no hooks for this: what is tested is what users run. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <inttypes.h>
#include <locale.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_CALLS = 1 << 20, FRAMES = 24 };

static bool counting;
static _Thread_local bool looking;
static long calls, fail_at;
static uint64_t place[MOST_CALLS];
static pid_t program;

static FILE *report(void) {
    return fopen(getenv("FAIL_REPORT"), "a");
}

/* A number for the frames above a call (FNV-1a); 0 where one of them is fontconfig's (2.14), which then
 * crashes, waits forever or finds other fonts. */
static uint64_t place_of(const char *name) {
    void *frames[FRAMES];
    Dl_info in;
    uint64_t sum = 14695981039346656037u ^ (uint64_t)(uintptr_t)name;
    const int n = backtrace(frames, FRAMES);
    for (int i = 0; i < n; i++) {
        if (dladdr(frames[i], &in) && strstr(in.dli_fname, "/libfontconfig")) return 0;
        sum = (sum ^ (uint64_t)(uintptr_t)frames[i]) * 1099511628211u;
    }
    return sum;
}

/* Whether this call is the one that fails; then it says which it is. */
static bool fails(const char *name) {
    void *frames[FRAMES];
    if (!counting || looking) return false;
    const long call = __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
    if (fail_at == 0 && call <= MOST_CALLS && getpid() == program) {
        looking = true;
        place[call - 1] = place_of(name);
        looking = false;
    }
    if (call != fail_at || getpid() != program) return false;
    counting = false;
    FILE *f = report();
    fprintf(f, "%s\n", name);
    fflush(f);
    backtrace_symbols_fd(frames, backtrace(frames, FRAMES), fileno(f));
    fclose(f);
    counting = true;
    return true;
}

static void say_places(void) {
    counting = false;
    if (getpid() != program || fail_at != 0) return;
    FILE *f = report();
    for (long i = 0; i < calls && i < MOST_CALLS; i++) fprintf(f, "%" PRIx64 "\n", place[i]);
    fclose(f);
}

static int (*real_main)(int, char **, char **);

static int counted_main(int argc, char **argv, char **env) {
    void *frame;
    backtrace(&frame, 1); /* what it loads the first time is not the program's */
    program = getpid();
    fail_at = atol(getenv("FAIL_AT"));
    counting = true;
    return real_main(argc, argv, env);
}

#define REAL(result, name, ...)         \
    static result (*real)(__VA_ARGS__); \
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, name)

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*rtld_fini)(void), void *stack) {
    REAL(int, "__libc_start_main", int (*)(int, char **, char **), int, char **, void (*)(void),
         void (*)(void), void (*)(void), void *);
    real_main = main;
    atexit(say_places);
    return real(counted_main, argc, argv, init, fini, rtld_fini, stack);
}

/* A function that returns `failed` with errno `why` when it fails, and then has done nothing. */
#define CALL(result, failed, why, name, parameters, ...)      \
    result name parameters {                                  \
        static result(*real) parameters;                      \
        if (!real) *(void **)&real = dlsym(RTLD_NEXT, #name); \
        if (fails(#name)) return errno = why, failed;         \
        return real(__VA_ARGS__);                             \
    }

CALL(void *, NULL, ENOMEM, malloc, (size_t size), size)
CALL(void *, NULL, ENOMEM, calloc, (size_t count, size_t size), count, size)
CALL(void *, NULL, ENOMEM, realloc, (void *block, size_t size), block, size)
CALL(void *, NULL, ENOMEM, aligned_alloc, (size_t alignment, size_t size), alignment, size)
CALL(void *, MAP_FAILED, ENOMEM, mmap, (void *at, size_t size, int may, int flags, int fd, off_t from), at,
     size, may, flags, fd, from)
CALL(locale_t, NULL, ENOMEM, newlocale, (int mask, const char *name, locale_t base), mask, name, base)
CALL(int, -1, EMFILE, memfd_create, (const char *name, unsigned flags), name, flags)
CALL(pid_t, -1, EAGAIN, fork, (void), )

CALL(FILE *, NULL, EIO, fopen, (const char *path, const char *mode), path, mode)
CALL(FILE *, NULL, EIO, fopen64, (const char *path, const char *mode), path, mode)
CALL(FILE *, NULL, ENOMEM, fdopen, (int fd, const char *mode), fd, mode)
CALL(FILE *, NULL, ENOSPC, tmpfile, (void), )
CALL(DIR *, NULL, EIO, opendir, (const char *path), path)
CALL(struct dirent *, NULL, EIO, readdir, (DIR * directory), directory)
CALL(int, -1, EIO, stat, (const char *path, struct stat *st), path, st)
CALL(int, -1, EIO, lstat, (const char *path, struct stat *st), path, st)
CALL(int, -1, EIO, fstat, (int fd, struct stat *st), fd, st)
CALL(ssize_t, -1, EIO, read, (int fd, void *bytes, size_t size), fd, bytes, size)
CALL(ssize_t, -1, EIO, pread, (int fd, void *bytes, size_t size, off_t at), fd, bytes, size, at)
CALL(ssize_t, -1, ENOSPC, write, (int fd, const void *bytes, size_t size), fd, bytes, size)
CALL(ssize_t, -1, ENOSPC, pwrite, (int fd, const void *bytes, size_t size, off_t at), fd, bytes, size, at)
CALL(int, -1, ENOSPC, ftruncate, (int fd, off_t size), fd, size)
CALL(int, -1, ENOSPC, mkdir, (const char *path, mode_t mode), path, mode)
CALL(int, -1, EIO, rename, (const char *from, const char *to), from, to)
CALL(int, -1, EIO, renameat, (int from, const char *a, int to, const char *b), from, a, to, b)
CALL(int, -1, ENOSPC, linkat, (int from, const char *a, int to, const char *b, int flags), from, a, to, b,
     flags)

/* These are done all the same: a descriptor is closed and bytes are written whatever is returned, and a file
 * that can't be removed is another test. fsync does nothing but be counted: no power is cut here. */
#define CALL_DONE(result, failed, why, name, parameters, ...) \
    result name parameters {                                  \
        static result(*real) parameters;                      \
        if (!real) *(void **)&real = dlsym(RTLD_NEXT, #name); \
        const result done = real(__VA_ARGS__);                \
        if (fails(#name)) return errno = why, failed;         \
        return done;                                          \
    }

CALL_DONE(int, -1, EIO, close, (int fd), fd)
CALL_DONE(int, EOF, ENOSPC, fclose, (FILE * stream), stream)
CALL_DONE(int, EOF, ENOSPC, fflush, (FILE * stream), stream)

int fsync(int fd) {
    (void)fd;
    return fails("fsync") ? (errno = EIO, -1) : 0;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                   void *argument) {
    REAL(int, "pthread_create", pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    return fails("pthread_create") ? EAGAIN : real(thread, attributes, run, argument);
}

static int mode_in(va_list list, int flags) {
    return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(list, int) : 0;
}

#define OPEN(name, parameters, ...)                           \
    int name parameters {                                     \
        static int(*real) parameters;                         \
        if (!real) *(void **)&real = dlsym(RTLD_NEXT, #name); \
        va_list list;                                         \
        va_start(list, flags);                                \
        const int mode = mode_in(list, flags);                \
        va_end(list);                                         \
        if (fails(#name)) return errno = EIO, -1;             \
        return real(__VA_ARGS__, flags, mode);                \
    }

OPEN(open, (const char *path, int flags, ...), path)
OPEN(open64, (const char *path, int flags, ...), path)
OPEN(openat, (int directory, const char *path, int flags, ...), directory, path)
