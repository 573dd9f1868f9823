/* team.h - threads that share jobs: one that has none left takes parts of what the others do. */
#ifndef CAELUM_BASE_TEAM_H
#define CAELUM_BASE_TEAM_H

#include <stddef.h>

/* Parts of a piece of work, at most: those of a small picture are soon too short to be worth handing out. */
enum { TEAM_MOST = 8 };

/* Does part `member` of `members` of the work that cookie describes. Together they are all of it, whatever
 * their number; no part may depend on another. */
typedef void team_part(const void *cookie, size_t member, size_t members);

/* Work that a part must have for handing it out to pay: another thread hears of it after a microsecond, or
 * more on virtual machines. In multiply-adds of whole registers. */
enum { TEAM_WORK = 16384 };

/* Runs all parts, on the calling thread and those of its loop that have nothing else to do, and returns when
 * all are done. Where there are none, or not `work` enough for two, it is one part: part(cookie, 0, 1). */
void team_run(team_part *part, const void *cookie, size_t work);

/* As parallel_for, but threads without a job take part in what the jobs of the others hand to team_run. */
void team_for(int threads, size_t n, void (*job)(void *cookie, size_t i, int worker), void *cookie);

/* Parts that team_run makes on `threads` threads, at most: how many to have memory for. */
size_t team_parts(int threads);

#endif
