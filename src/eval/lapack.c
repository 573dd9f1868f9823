/* lapack.c - see lapack.h. */
#define _GNU_SOURCE
#include "eval/lapack.h"

#include "base/loaded.h"

#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>

/* Bytes that OpenBLAS may want: its code, 128 MiB for a thread's blocks, and LAPACK's work space. */
static const size_t WANTED = (size_t)512 << 20;

static int look_for_memory(struct caelum_error *err) {
    void *room = mmap(NULL, WANTED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED)
        return caelum_fail(err, CAELUM_ERESOURCE,
                           "the linear codes need %zu MiB for LAPACK, which are not available; "
                           "`caelum eval --no-baselines` does without",
                           WANTED >> 20);
    munmap(room, WANTED);
    return CAELUM_OK;
}

/* One processor for the calling thread while the library asks for their number. */
static void *load_alone(const char *name) {
    cpu_set_t all, one;
    size_t cpu = 0;
    const bool known = sched_getaffinity(0, sizeof all, &all) == 0;
    while (known && cpu < CPU_SETSIZE - 1 && !CPU_ISSET(cpu, &all)) cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    const bool alone = known && sched_setaffinity(0, sizeof one, &one) == 0;
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (alone) sched_setaffinity(0, sizeof all, &all);
    return library;
}

int lapack_open(struct lapack *lapack, struct caelum_error *err) {
    static const char *const names[] = {"liblapacke.so.3", "libopenblas.so.0"}; /* the latter may hold all */
    char why[256] = "it lacks functions";
    CHECK(look_for_memory(err));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        void *library = load_alone(names[i]);
        if (!library) {
            if (i == 0) snprintf(why, sizeof why, "%s", dlerror());
            continue;
        }
        const bool whole = loaded_function(library, "cblas_ssyrk", &lapack->ssyrk) &&
                           loaded_function(library, "cblas_sgemm", &lapack->sgemm) &&
                           loaded_function(library, "LAPACKE_dsyevd", &lapack->dsyevd);
        dlclose(library);
        if (whole) return CAELUM_OK;
    }
    return caelum_fail(err, CAELUM_EUSAGE,
                       "the linear codes need LAPACK, which can't be loaded: %s (Debian's package is "
                       "liblapacke); `caelum eval --no-baselines` does without",
                       why);
}
