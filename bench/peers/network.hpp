// network.hpp - the part of caelum's network text that the peers can do: 3x3 convolutions, transposed ones of
// stride 2, pooling, nearest upsampling. Pictures are 32x32.
#pragma once
#include <string>
#include <vector>

enum class Kind { conv, deconv, maxpool, upsample };
enum class Act { linear, relu, sigmoid, tanh };

struct Layer {
    Kind kind;
    int channels_in, channels_out;
    int side_in, side_out; // rows, and columns
    int factor;            // of a pool or an upsampling; stride of a transposed convolution
    Act act;

    bool has_weights() const { return kind == Kind::conv || kind == Kind::deconv; }
};

struct Network {
    std::string name; // of the file, without ".net"
    std::vector<Layer> layers;

    int channels_in() const { return layers.front().channels_in; }
    int channels_out() const { return layers.back().channels_out; }
};

constexpr int picture_side = 32;

// Throws std::runtime_error with file, line and reason.
Network read_network(const std::string &path);
