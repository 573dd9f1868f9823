/* study_report.h - what the run directories of a study say, put together and written as its report. */
#ifndef CAELUM_STUDY_STUDY_REPORT_H
#define CAELUM_STUDY_STUDY_REPORT_H

#include "study/study_plan.h"

/* Looks at every run directory again and writes OUT/report. */
int study_report_write(struct study_plan *plan, bool quick, struct caelum_error *err);

#endif
