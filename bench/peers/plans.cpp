// plans.cpp - coordinate descent: one digit of the plan after the other takes its best value.
#include "plans.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <stdexcept>

namespace {

constexpr int batches = 4, most_steps = 9;
constexpr double most_seconds = 0.3; // for one candidate
constexpr double worth = 0.995;      // a step this much shorter replaces the best one

double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string key_of(const Job &job) {
    return job.network.name + (job.train ? " train " : " infer ") + (job.bf16 ? "bf16 " : "f32 ") +
           std::to_string(job.threads) + " ";
}

// Seconds of the shortest step; huge, where the library can't. Candidates that start badly are left early.
double seconds_of(const Job &job, const std::string &plan, const std::vector<float> &values, double best) {
    Settings settings;
    settings.plan = plan;
    settings.strict = true;
    settings.bf16 = job.bf16;
    double least = 1e9;
    try {
        Net net(job.network, settings, job.batch, batches, job.train, values.data(), values.data(), nullptr);
        const double start = now();
        for (int i = 0; i <= most_steps && (i < 3 || now() - start < most_seconds); i++) {
            const double before = now();
            if (job.train)
                net.step(i);
            else
                net.infer(i);
            if (i > 0) least = std::min(least, now() - before); // the first one warms up
            if (i > 0 && least > (i == 1 ? 1.5 : 1.1) * best) break;
        }
    } catch (const dnnl::error &) {
    }
    return least;
}

std::vector<std::string> lines_of(const std::string &path) {
    std::vector<std::string> lines;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
}

// Whether that digit of a plan means anything.
bool counts(const Job &job, size_t layer, int pass) {
    const Layer &l = job.network.layers[layer];
    return l.has_weights() && !(layer == 0 && pass == data_pass) && (job.train || pass == forward_pass);
}

} // namespace

std::string read_plan(const std::string &path, const Job &job) {
    const std::string key = key_of(job);
    for (const std::string &line : lines_of(path))
        if (line.compare(0, key.size(), key) == 0) return line.substr(key.size());
    return "";
}

// Digits change one at a time, and a layer that differs from its neighbors pays for copies between layouts:
// so from either uniform plan.
std::string search_plan(const Job &job, const std::vector<float> &values) {
    const size_t layers = job.network.layers.size();
    std::string best;
    double least = 1e9;
    for (char start : {'1', '2'}) {
        std::string here(layers * pass_count, start);
        double seconds = seconds_of(job, here, values, least);
        for (size_t layer = 0; layer < layers; layer++)
            for (int pass = 0; pass < pass_count; pass++)
                for (char digit = '0'; digit < '9' && counts(job, layer, pass); digit++) {
                    std::string plan = here;
                    plan[layer * pass_count + static_cast<size_t>(pass)] = digit;
                    if (plan == here) continue;
                    const double other = seconds_of(job, plan, values, seconds);
                    if (other < seconds * worth) seconds = other, here = plan;
                }
        if (seconds < least) least = seconds, best = here;
    }
    if (best.empty()) throw std::runtime_error(job.network.name + ": the library can't do this job here");
    std::fprintf(stderr, "onednn: %s%s, %.0f img/s at batch %d\n", key_of(job).c_str(), best.c_str(),
                 job.batch / least, job.batch);
    return best;
}

void write_plan(const std::string &path, const Job &job, const std::string &plan) {
    const std::string key = key_of(job);
    std::vector<std::string> lines = lines_of(path);
    lines.erase(std::remove_if(lines.begin(), lines.end(),
                               [&](const std::string &l) { return l.compare(0, key.size(), key) == 0; }),
                lines.end());
    lines.push_back(key + plan);
    std::ofstream file(path);
    for (const std::string &line : lines) file << line << '\n';
    if (!file.flush()) throw std::runtime_error(path + ": can't be written");
}
