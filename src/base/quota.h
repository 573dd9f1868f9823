/* quota.h - processor time that control groups grant this process. */
#ifndef CAELUM_BASE_QUOTA_H
#define CAELUM_BASE_QUOTA_H

/* Processors, rounded up, that the smallest quota of the process's control group and of those it is nested in
 * makes; 0: there is none. `root` is where /proc and /sys are: "" but in tests. */
int quota_processors(const char *root);

#endif
