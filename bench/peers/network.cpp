// network.cpp - from text to layers; what the peers can't do is refused, not approximated.
#include "network.hpp"

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace {

struct Line {
    std::string where, kind;
    std::vector<std::string> words; // behind the kind

    [[noreturn]] void refuse(const std::string &why) const { throw std::runtime_error(where + ": " + why); }

    // The number at words[i], or `otherwise`, if there is none.
    int number(size_t i, int otherwise) const {
        if (i >= words.size() || words[i].find_first_not_of("0123456789") != std::string::npos)
            return otherwise;
        return std::stoi(words[i]);
    }
};

Act act_of(const std::string &word, const Line &line) {
    if (word == "linear") return Act::linear;
    if (word == "relu") return Act::relu;
    if (word == "sigmoid") return Act::sigmoid;
    if (word == "tanh") return Act::tanh;
    line.refuse("the peers don't do '" + word + "'");
}

Layer convolution(const Line &line, int channels, int side) {
    const bool transposed = line.kind == "deconv";
    Layer layer = {
        transposed ? Kind::deconv : Kind::conv, channels, line.number(0, 0), side, side, 1, Act::linear};
    for (size_t i = 1; i < line.words.size(); i++) {
        if (transposed && line.words[i] == "stride=2")
            layer.factor = 2;
        else
            layer.act = act_of(line.words[i], line);
    }
    if (layer.channels_out < 1) line.refuse("expected a number of channels");
    if (transposed && layer.factor != 2) line.refuse("the peers do transposed convolutions of stride 2 only");
    layer.side_out = side * layer.factor;
    return layer;
}

Layer layer_of(const Line &line, int channels, int side) {
    if (line.kind == "conv" || line.kind == "deconv") return convolution(line, channels, side);
    const int factor = line.number(0, 2);
    if (line.words.size() > 1 || factor < 2 || side % factor != 0)
        line.refuse("the peers expect one factor that divides the rows");
    if (line.kind == "maxpool")
        return {Kind::maxpool, channels, channels, side, side / factor, factor, Act::linear};
    if (line.kind == "upsample")
        return {Kind::upsample, channels, channels, side, side * factor, factor, Act::linear};
    line.refuse("the peers don't do '" + line.kind + "'");
}

std::string name_of(const std::string &path) {
    const size_t slash = path.find_last_of('/');
    const std::string base = slash == std::string::npos ? path : path.substr(slash + 1);
    return base.substr(0, base.find('.'));
}

} // namespace

Network read_network(const std::string &path) {
    std::ifstream file(path);
    if (!file) throw std::runtime_error(path + ": can't be read");
    Network network = {name_of(path), {}};
    int channels = 0, side = picture_side;
    std::string text;
    for (int number = 1; std::getline(file, text); number++) {
        std::istringstream in(text.substr(0, text.find('#')));
        Line line = {path + ":" + std::to_string(number), "", {}};
        if (!(in >> line.kind) || line.kind == "latent") continue;
        for (std::string word; in >> word;) line.words.push_back(word);
        if (line.kind == "input") {
            channels = line.number(0, 0);
            continue;
        }
        network.layers.push_back(layer_of(line, channels, side));
        channels = network.layers.back().channels_out;
        side = network.layers.back().side_out;
    }
    if (network.layers.empty() || network.layers.back().kind != Kind::conv || side != picture_side)
        throw std::runtime_error(path + ": the peers expect a convolution that makes 32x32 at the end");
    return network;
}
