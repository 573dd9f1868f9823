/* study_plan.h - the trainings of a study, one for each run and seed: their networks and data opened, their
 * directories looked at. */
#ifndef CAELUM_STUDY_STUDY_PLAN_H
#define CAELUM_STUDY_STUDY_PLAN_H

#include "base/path.h"
#include "data/data.h"
#include "net/net.h"
#include "study/study_file.h"

#include <jansson.h>

enum study_state {
    STUDY_NEW,      /* not begun, or nothing that can be resumed */
    STUDY_PARTIAL,  /* its checkpoint can be resumed */
    STUDY_TRAINED,  /* all epochs done, all files there */
    STUDY_DIFFERENT /* its directory holds another training */
};

/* One training: a run of the study with one of its seeds. */
struct study_unit {
    size_t run;                            /* of the study */
    size_t rank;                           /* which of the run's seeds, 0 first */
    char name[96];                         /* "custom-b50-s1" */
    char *dir, *net_path, *data_spec;      /* data_spec: NULL where nothing names the data */
    char *command;                         /* that trains it alone */
    struct caelum_train_settings settings; /* points to the strings above */
    struct caelum_net *net;
    struct caelum_data *data;
    bool owns_data; /* false: an earlier unit opened the same */
    bool wanted;    /* by this call */
    enum study_state state;
    char problem[160]; /* of STUDY_DIFFERENT: what differs */
};

struct study_plan {
    struct study *study;
    char out[PATH_SIZE];
    struct study_unit *unit; /* all first seeds in the order of the file, then all second seeds... */
    size_t units;
};

/* Loads the study file, every network and data set, and looks at the run directories. Nothing is written.
 * Fails if a network is missing, does not fit its task or the data. plan: zeroed; to be closed after a
 * failure, too. */
int study_plan_open(struct study_plan *plan, const struct caelum_study_settings *settings,
                    struct caelum_error *err);
/* Safe on a zeroed plan. */
void study_plan_close(struct study_plan *plan);

/* Looks at the unit's directory: fills state and problem. */
int study_unit_look(struct study_unit *unit, struct caelum_error *err);

/* Whether a file of this name is in the unit's directory. */
bool study_unit_has(const struct study_unit *unit, const char *name);

/* Whether DIR/eval.json is there and was made from the best.safetensors of the same directory. If so and
 * root is not NULL, *root is its content, to be given to json_decref. */
bool study_eval_current(const struct study_unit *unit, json_t **root);

/* Measures DIR/best.safetensors on the test split, together with the linear codes of the bottleneck's size
 * or, for a colorizer, with grey and other simple ones, and writes eval.json. `threads` run the model. Call
 * it from one thread at a time: the linear codes are kept in files that all trainings share. */
int study_eval_write(const struct study_unit *unit, int threads, struct caelum_error *err);

/* Looks at every run directory again and writes OUT/report. */
int study_report_write(struct study_plan *plan, bool quick, struct caelum_error *err);

#endif
