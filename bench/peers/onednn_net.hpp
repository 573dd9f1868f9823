// onednn_net.hpp - one network in oneDNN 2.x: forward, mean squared error, backward, Adam.
//
// What is done so that the library runs well: primitives, memory and argument maps are made once; ReLU and
// sigmoid ride on the convolutions as post-operations; the ReLU mask of a convolution that feeds a max pool
// is applied to the pooled gradient (the same numbers, a quarter of the work); a convolution and its
// gradients may each have a layout and an implementation of their own (see Settings::plan). Plain loops
// replace the library where it is slow: bias, ReLU and bias gradient of transposed convolutions, gradient of
// upsampling.
#pragma once
#include "network.hpp"

#include <dnnl.hpp>
#include <functional>
#include <string>
#include <vector>

enum Pass { forward_pass, weights_pass, data_pass, pass_count };

struct Settings {
    std::string layout = "nhwc"; // any, nhwc, blocked: where there is no plan
    bool winograd = false;       // the library may take Winograd's algorithm, where it has it and likes it
    bool bf16 = false;           // activations, and weights as the convolutions read them
    // A digit for each layer and pass, layer by layer: layout + 3 * (which of the library's implementations,
    // in its own order of preference); layouts are 0 any, 1 nhwc, 2 blocked. Empty: none.
    std::string plan;
    bool strict =
        false; // a plan that the library can't carry out is an error, not the library's first choice
};

class Net {
  public:
    // Pictures x and targets t are float [batches * batch][channels][32][32]. Weights are those of caelum's
    // model files, per layer kernel and bias; NULL: some fixed random start. All are read here and not kept.
    Net(const Network &network, const Settings &settings, int batch, int batches, bool train, const float *x,
        const float *t, const float *weights);

    void infer(int k);  // batch k, modulo the number of batches
    double step(int k); // the same, and one step of Adam; returns the loss before it

  private:
    using Desc = dnnl::memory::desc;
    using Memory = dnnl::memory;
    using Args = std::unordered_map<int, dnnl::memory>;
    using Work = std::vector<std::function<void(int k)>>;

    // A layer with what its forward pass leaves for the backward pass.
    struct Node {
        Layer layer;
        size_t index;
        Memory in, out;
        Memory weights;   // as the forward pass reads them
        Memory workspace; // where the maximum of a pool was
        dnnl::convolution_forward::primitive_desc conv;
        dnnl::deconvolution_forward::primitive_desc deconv;
        dnnl::pooling_forward::primitive_desc pool;
        dnnl::resampling_forward::primitive_desc upsample;
        bool masked = false; // the gradient that arrives has been through the ReLU already
    };

    // Master copy and gradient in float, both in the layout of the forward pass.
    struct Parameter {
        Memory value, gradient;
        Memory read; // what the forward pass reads: `value`, or a copy in bfloat16
        std::vector<float> mean, square;
    };

    Settings settings_;
    int batch_, batches_;
    bool train_;
    dnnl::memory::data_type type_; // of activations
    std::vector<Node> nodes_;
    std::vector<Parameter> parameters_; // kernel and bias of each layer that has weights
    Work forward_, backward_;
    std::vector<Memory> pictures_, targets_; // one a batch
    Memory output_, output_gradient_;
    // only while the constructor runs
    const float *first_pictures_;
    const float *weights_left_; // those not read yet
    unsigned seed_ = 12345;
    long steps_ = 0;

    dnnl::memory::dims shape_in(const Node &n) const;
    dnnl::memory::dims shape_out(const Node &n) const;
    dnnl::algorithm algorithm() const;
    int digit(const Node &n, Pass pass) const;
    dnnl::memory::format_tag layout(const Node &n, Pass pass, int channels) const;
    template <class PrimitiveDesc> PrimitiveDesc choose(PrimitiveDesc first, const Node &n, Pass pass) const;

    void add(Work &work, const dnnl::primitive &primitive, std::vector<Args> args);
    Memory reordered(Work &work, const Memory &memory, const Desc &desc);
    std::vector<Memory> load_batches(const float *values, int channels, const Desc &desc);
    std::vector<float> next_weights(size_t n, float scale);
    void new_parameters(Node &n, const Desc &kernel);

    void forward_conv(Node &n, bool last);
    void forward_deconv(Node &n);
    void forward_pool(Node &n);
    void forward_upsample(Node &n);
    void add_forward(Node &n, const dnnl::primitive &primitive, const Desc &in, Args args);

    Memory backward_relu(const Memory &gradient, const Memory &out);
    Memory backward_pool(Node &n, Memory gradient);
    Memory backward_upsample(Node &n, Memory gradient);
    Memory backward_weighted(Node &n, Memory gradient, Parameter &kernel, Parameter &bias);
    Memory backward_weights(Node &n, const Memory &gradient, Parameter &kernel, Parameter &bias);
    Memory backward_data(Node &n, const Memory &gradient);

    double output_loss(int k);
    void adam();
};
