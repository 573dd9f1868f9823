/* team.h - threads that share one job: its leader runs it and hands out parts of what it does. */
#ifndef CAELUM_BASE_TEAM_H
#define CAELUM_BASE_TEAM_H

#include <stddef.h>

/* Threads in a team, at most: parts of a small picture are soon too short to be worth handing out. */
enum { TEAM_MOST = 8 };

/* What one of `members` members does of the work that cookie describes. Together they do all of it, whatever
 * their number; no part may depend on another. */
typedef void team_part(const void *cookie, size_t member, size_t members);

/* Work that a member must have for handing it out to pay: waking the others takes microseconds, more on
 * virtual machines. In multiply-adds of whole registers. */
enum { TEAM_WORK = 16384 };

/* Runs part on all members of the calling thread's team, itself among them, and returns when all are done. A
 * thread that leads no team, or has not `work` enough for two, does it alone: part(cookie, 0, 1). */
void team_run(team_part *part, const void *cookie, size_t work);

/* As parallel_for, but where there are fewer jobs than threads, those left over join the jobs' threads as
 * their teams. */
void team_for(int threads, size_t n, void (*job)(void *cookie, size_t i, int worker), void *cookie);

/* Threads in the team that worker may lead: how many parts to have memory for. */
size_t team_members(int threads, int worker);

#endif
