// plans.hpp - which layout and implementation each convolution takes, as found on this machine: a file with a
// line for each job, "NETWORK train|infer f32|bf16 THREADS PLAN". Plans found elsewhere are slower than none.
#pragma once
#include "onednn_net.hpp"

struct Job {
    Network network;
    bool train, bf16;
    int threads;
    int batch; // that the search measures
};

// The plan of a job, or "".
std::string read_plan(const std::string &path, const Job &job);
// Searches a plan: seconds for a small network, minutes for a large one.
std::string search_plan(const Job &job, const std::vector<float> &values);
// Puts it into the file, in the place of an older one.
void write_plan(const std::string &path, const Job &job, const std::string &plan);
