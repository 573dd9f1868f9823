// onednn.cpp - a peer: caelum's networks trained and run by oneDNN 2.x.
//
//   OMP_NUM_THREADS=T onednn [OPTIONS] NET FIGURE...
//     FIGURE is train.bN or infer.bN; prints "NAME.FIGURE.tT PICTURES img/s"
//     --layout any|nhwc|blocked|tuned|winograd   layout of tensors; tuned takes each from --plans; winograd
//     is
//                            any, and the library may take Winograd's algorithm
//     --type f32|bf16
//     --seconds 0.3          length of a measurement
//     --plans FILE           plans of this machine
//     --tune                 search plans for the figures, write them to --plans, measure nothing
//     --losses DIR           print losses of ten steps, one a line, from what pytorch.py --dump has left in
//     DIR
#include "plans.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <omp.h>
#include <sstream>
#include <stdexcept>

namespace {

constexpr int pictures = 1000;    // that a measurement wanders through
constexpr int most_to_tune = 100; // pictures in a batch: larger ones like the same plans

struct Options {
    Settings settings;
    double seconds = 0.3;
    std::string plans, losses;
    bool tuned = false, tune = false;
    std::vector<std::string> words; // the network, figures
};

Options read_options(int argc, char **argv) {
    Options o;
    for (int i = 1; i < argc; i++) {
        const std::string word = argv[i];
        const auto value = [&]() -> std::string {
            if (i + 1 >= argc) throw std::runtime_error(word + ": a value is missing");
            return argv[++i];
        };
        if (word == "--layout")
            o.settings.layout = value();
        else if (word == "--type")
            o.settings.bf16 = value() == "bf16";
        else if (word == "--seconds")
            o.seconds = std::atof(value().c_str());
        else if (word == "--plans")
            o.plans = value();
        else if (word == "--tune")
            o.tune = true;
        else if (word == "--losses")
            o.losses = value();
        else if (word.compare(0, 2, "--") == 0)
            throw std::runtime_error("there is no option " + word);
        else
            o.words.push_back(word);
    }
    o.tuned = o.settings.layout == "tuned";
    if (o.tuned) o.settings.layout = "nhwc"; // where there is no plan
    o.settings.winograd = o.settings.layout == "winograd";
    if (o.settings.winograd) o.settings.layout = "any";
    if (o.words.empty()) throw std::runtime_error("expected a network and figures");
    if ((o.tuned || o.tune) && o.plans.empty()) throw std::runtime_error("--plans is missing");
    return o;
}

// Smooth noise: a running mean of white noise, stretched into [0, 1]. Input and target alike.
std::vector<float> noise() {
    std::vector<float> values(static_cast<size_t>(pictures) * 3 * picture_side * picture_side);
    unsigned seed = 99;
    float mean = 0.5f;
    for (float &v : values) {
        seed = seed * 1664525u + 1013904223u;
        mean += 0.1f * (static_cast<float>(seed >> 8) / 16777216.f - mean);
        v = std::min(1.f, std::max(0.f, 0.5f + 3 * (mean - 0.5f)));
    }
    return values;
}

std::vector<float> read_floats(const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error(path + ": can't be read");
    const std::vector<char> bytes((std::istreambuf_iterator<char>(file)), {});
    std::vector<float> values(bytes.size() / sizeof(float));
    std::copy(bytes.begin(), bytes.begin() + static_cast<long>(values.size() * sizeof(float)),
              reinterpret_cast<char *>(values.data()));
    return values;
}

Settings settings_of(const Options &o, const Job &job) {
    Settings s = o.settings;
    if (!o.tuned) return s;
    s.plan = read_plan(o.plans, job);
    if (s.plan.empty())
        std::fprintf(stderr, "onednn: %s has no plan for %s, %s, %d threads: nhwc\n", o.plans.c_str(),
                     job.network.name.c_str(), job.train ? "train" : "infer", job.threads);
    return s;
}

// Ten steps on two batches of 50 that take turns.
void print_losses(const Options &o, const Job &job) {
    const std::string base = o.losses + "/" + job.network.name;
    const std::vector<float> x = read_floats(base + ".input.f32"), t = read_floats(base + ".target.f32"),
                             w = read_floats(base + ".weights.f32");
    Net net(job.network, settings_of(o, job), job.batch, 2, true, x.data(), t.data(), w.data());
    for (int k = 0; k < 10; k++) std::printf("%.9g\n", net.step(k));
}

// Pictures a second, after a warm-up of a third of the time.
template <class Run> double rate(Run run, int batch, double seconds) {
    using Clock = std::chrono::steady_clock;
    const auto since = [](Clock::time_point t) {
        return std::chrono::duration<double>(Clock::now() - t).count();
    };
    int k = 0;
    for (const auto start = Clock::now(); k < 3 || since(start) < seconds / 3;) run(k++);
    const auto start = Clock::now();
    for (k = 0;;) {
        run(k++);
        const double elapsed = since(start);
        if (elapsed > seconds) return static_cast<double>(k) * batch / elapsed;
    }
}

void measure(const Options &o, const Job &job, const std::vector<float> &values) {
    const int batches = job.batch == 1 ? 100 : pictures / job.batch;
    Net net(job.network, settings_of(o, job), job.batch, batches, job.train, values.data(), values.data(),
            nullptr);
    const auto run = [&](int k) {
        if (job.train)
            net.step(k);
        else
            net.infer(k);
    };
    std::printf("%s.%s.b%d.t%d %.0f img/s\n", job.network.name.c_str(), job.train ? "train" : "infer",
                job.batch, job.threads, rate(run, job.batch, o.seconds));
    std::fflush(stdout);
}

// What a figure's name says.
Job job_of(const Options &o, const std::string &figure) {
    const size_t dot = figure.find(".b");
    Job job = {read_network(o.words[0]), figure.compare(0, dot, "train") == 0, o.settings.bf16,
               omp_get_max_threads(), dot == figure.npos ? 0 : std::atoi(figure.c_str() + dot + 2)};
    if (job.batch < 1 || job.batch > pictures)
        throw std::runtime_error(figure + ": expected train.bN or infer.bN");
    return job;
}

void run(const Options &o) {
    if (!o.losses.empty()) return print_losses(o, job_of(o, "train.b50"));
    const std::vector<float> values = noise();
    for (size_t i = 1; i < o.words.size(); i++) {
        Job job = job_of(o, o.words[i]);
        if (!o.tune) {
            measure(o, job, values);
            continue;
        }
        job.batch = std::min(job.batch, most_to_tune);
        write_plan(o.plans, job, search_plan(job, values));
    }
}

} // namespace

int main(int argc, char **argv) {
    try {
        // with the cache, the order in which implementations are offered depends on what was made before
        dnnl::set_primitive_cache_capacity(0);
        run(read_options(argc, argv));
    } catch (const std::exception &e) {
        std::fprintf(stderr, "onednn: %s\n", e.what());
        return 1;
    }
}
