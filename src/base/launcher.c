/* launcher.c - who has started this process, and the plugin that connects it to the others. */
#include "base/dist.h"
#include "base/loaded.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* By what a process knows its launcher, the surest sign first: Open MPI's mpirun, `srun --mpi=pmix`, MPICH's
 * mpirun and `srun --mpi=pmi2`, and an srun that connects nobody. */
static const struct launcher {
    const char *variable, *mpi;
} launchers[] = {{"OMPI_COMM_WORLD_SIZE", "openmpi"},
                 {"PMIX_RANK", "openmpi"},
                 {"PMI_RANK", "mpich"},
                 {"SLURM_STEP_NUM_TASKS", NULL}};

static int load(const char *mpi, const char *why, const struct dist_wire **wire, struct caelum_error *err) {
    char name[64];
    snprintf(name, sizeof name, "caelum-%.40s.so", mpi);
    /* what MPI loads by itself must find its symbols */
    void *plugin = dlopen(name, RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE);
    const char *reason = plugin ? "it is of another version of caelum" : dlerror();
    const bool known = plugin && loaded_function(plugin, "caelum_dist_wire", wire);
    if (plugin) dlclose(plugin);
    if (known && (*wire)->version == DIST_WIRE) return CAELUM_OK;
    return caelum_fail(err, CAELUM_EUSAGE,
                       "%s, but %s can't be loaded: %.200s; install the package caelum-%s on every host, or "
                       "use --mpi none for a process that works alone",
                       why, name, reason, mpi);
}

/* A launcher that has started one process has nobody to connect. */
static bool is_alone(const struct launcher *l) {
    return !l->mpi && strcmp(getenv(l->variable), "1") == 0;
}

int caelum_dist_open(caelum_dist **out, const char *mpi, struct caelum_error *err) {
    const size_t count = sizeof launchers / sizeof *launchers;
    char why[128] = "MPI is asked for";
    *out = NULL;
    if (!mpi) {
        size_t i = 0;
        while (i < count && !getenv(launchers[i].variable)) i++;
        if (i == count || is_alone(&launchers[i])) return CAELUM_OK;
        mpi = launchers[i].mpi;
        if (!mpi)
            return caelum_fail(
                err, CAELUM_EUSAGE,
                "srun has started several processes without connecting them: use srun "
                "--mpi=pmix (Open MPI) or --mpi=pmi2 (MPICH), or --mpi none for processes that "
                "work alone");
        snprintf(why, sizeof why, "an MPI launcher has started this process (%s is set)",
                 launchers[i].variable);
    }
    if (strcmp(mpi, "none") == 0) return CAELUM_OK;
    struct caelum_dist *dist;
    CHECK(mem_alloc(&dist, 1, sizeof *dist, err));
    int result = load(mpi, why, &dist->wire, err);
    if (result == 0) {
        const int problem = dist->wire->open(&dist->rank, &dist->ranks);
        if (problem != 0) result = caelum_fail(err, CAELUM_EFAIL, "MPI can't start: its error %d", problem);
    }
    (void)gethostname(dist->host, sizeof dist->host - 1);
    if (result == 0) result = dist_connect(dist, err);
    if (result == 0) result = dist_check_version(dist, err);
    *out = dist;
    if (result != 0) caelum_dist_close(out);
    return result;
}

void caelum_dist_close(caelum_dist **dist) {
    if (!*dist) return;
    if ((*dist)->piece) (*dist)->wire->close();
    mem_free(&(*dist)->piece);
    mem_free(&(*dist)->report);
    mem_free(dist);
}
