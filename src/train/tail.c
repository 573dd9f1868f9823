/* tail.c - networks and memory for blocks of strips. */
#include "train/tail.h"

static int tail_open(struct tail *t, const struct caelum_net *net, enum caelum_task task, size_t lanes,
                     size_t strips, bool learn, size_t members, struct caelum_error *err) {
    CHECK(net_strips(&t->net, net, strips, err));
    if (!t->net) return CAELUM_OK;
    CHECK(net_workspace_open_shared(&t->workspace, t->net, lanes, learn, members, err));
    t->workspace.strips = strips;
    return task_block_open(&t->block, task, t->net, lanes, learn, err);
}

int tails_open(struct tails *out, const struct caelum_net *net, enum caelum_task task, size_t lanes,
               bool learn, size_t members, struct caelum_error *err) {
    struct tails tails = {0};
    int result = CAELUM_OK;
    for (size_t i = 0; result == 0 && i < 3; i++)
        result = tail_open(&tails.of[i], net, task, lanes, (size_t)2 << i, learn, members, err);
    if (result != 0)
        tails_close(&tails);
    else
        *out = tails;
    return result;
}

void tails_close(struct tails *tails) {
    for (size_t i = 0; i < 3; i++) {
        struct tail *t = &tails->of[i];
        net_workspace_close(&t->workspace);
        task_block_close(&t->block);
        caelum_net_close(&t->net);
    }
}

struct tail *tails_for(struct tails *tails, size_t left) {
    for (size_t i = 3; left > 0 && i-- > 0;)
        if (tails->of[i].net && left << (i + 1) <= SUM_LANES) return &tails->of[i];
    return NULL;
}
