/* tail.h - the few pictures that are left when a set has been cut into full blocks: instead of leaving most
 * lanes idle, each picture is cut into strips that fill them (kernels.h). */
#ifndef CAELUM_TRAIN_TAIL_H
#define CAELUM_TRAIN_TAIL_H

#include "net/net.h"
#include "train/task.h"

/* What a block of strips needs, `strips` to a picture. */
struct tail {
    caelum_net *net; /* NULL: the network can't work on so many strips */
    struct net_workspace workspace;
    struct task_block block;
};

/* For 2, 4 and 8 strips. */
struct tails {
    struct tail of[3];
};

/* For blocks of `lanes` lanes that up to `members` threads share, and with `learn` for gradients and targets
 * too. CAELUM_ERESOURCE when memory
 * runs out; a network that can't work on strips is no error. `net` may be closed before the tails are. */
int tails_open(struct tails *tails, const struct caelum_net *net, enum caelum_task task, size_t lanes,
               bool learn, size_t members, struct caelum_error *err);
/* Safe on zeroed tails. */
void tails_close(struct tails *tails);

/* Where `left` pictures go, with 8 lanes for all of them: as many strips as there is room for. NULL: there
 * are none, or they are so many, or the network is such that they are a block of their own. */
struct tail *tails_for(struct tails *tails, size_t left);

#endif
