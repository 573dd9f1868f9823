/* data_sets.c - the table of data sets that the tests' program fetches: what cli/fetch_server.py serves. It
 * is linked in place of data/sets.c. */
#include "data/sets.h"

#include <stdlib.h>

const int data_pause = 0;

/* Where nobody tests it, a busy machine must not pass for a silent server. */
int data_patience(void) {
    return getenv("PATIENCE") ? atoi(getenv("PATIENCE")) : 3600;
}

const struct data_set data_sets[] = {
    {"cifar-10",
     {"http://first.invalid/one", "http://second.invalid/two"},
     {{"cifar-10-binary.tar.gz", 184405768,
       "afdd28ad02c2b2f89e4ff42b35addf6e69dae38d363b1dc0d657345642bf77ff"}}},
    {"pictures",
     {"http://first.invalid/one", "http://second.invalid/two"},
     {{"images.gz", 300000, "2ee2be7bd31d1be83b275093f427f44402e04e5d78936d0f6b0dd8b7f2226a19"},
      {"labels.gz", 1000, "6a8b741d56eca002a9040598c22f75a981ebb55f7d4d74726740fb8d1ec38c16"}}},
    {0}};
