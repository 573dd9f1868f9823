// onednn_net.cpp - a network's primitives, made once, and the loops between them.
#include "onednn_net.hpp"
#include "plain_loops.hpp"

#include <cmath>
#include <cstdio>
#include <cstring>

using namespace dnnl;
using Tag = memory::format_tag;
using Type = memory::data_type;
using Dims = memory::dims;

namespace {

const engine &cpu() {
    static const engine e(engine::kind::cpu, 0);
    return e;
}
stream &queue() {
    static stream s(cpu());
    return s;
}

float *floats(const memory &m) {
    return static_cast<float *>(m.get_data_handle());
}

// Zeroed, as the library expects of channels that only fill a block up.
memory new_memory(const memory::desc &desc) {
    memory m(desc, cpu());
    if (desc.get_size()) std::memset(m.get_data_handle(), 0, desc.get_size());
    return m;
}

memory::desc of_type(memory::desc desc, Type type) {
    desc.data.data_type = memory::convert_to_c(type);
    return desc;
}

// A copy into `to`, now.
void copy(memory from, memory to) {
    reorder(from, to).execute(queue(), from, to);
    queue().wait();
}

// Channels that one register or two hold.
Tag blocked() {
    return __builtin_cpu_supports("avx512f") ? Tag::nChw16c : Tag::nChw8c;
}

// Whether a tensor is rows of channels, as the plain loops want it.
bool rows_of(const memory::desc &desc, Rows *rows) {
    const auto &d = desc.data;
    const auto &blocking = d.format_desc.blocking;
    const long channels = blocking.inner_nblks ? blocking.inner_blks[0] : d.padded_dims[1];
    if (blocking.inner_nblks > 1 || (blocking.inner_nblks == 0 && blocking.strides[1] != 1)) return false;
    *rows = {d.dims[0], d.padded_dims[1] / channels, d.dims[2] * d.dims[3], channels};
    return true;
}

// The same, of a transposed convolution's output, whose bias has no padding.
Rows bias_rows(const memory::desc &desc) {
    Rows rows;
    if (!rows_of(desc, &rows) || desc.data.dims[1] != desc.data.padded_dims[1])
        throw error(dnnl_unimplemented, "transposed convolution: a layout that the plain loops don't know");
    return rows;
}

const Dims one = {1, 1}, zero = {0, 0};

Dims square(int n) {
    return {n, n};
}
Dims kernel_shape(const Layer &l) {
    return {l.channels_out, l.channels_in, 3, 3};
}

} // namespace

// --- What all layers share -----------------------------------------------------------------------------

Dims Net::shape_in(const Node &n) const {
    return {batch_, n.layer.channels_in, n.layer.side_in, n.layer.side_in};
}
Dims Net::shape_out(const Node &n) const {
    return {batch_, n.layer.channels_out, n.layer.side_out, n.layer.side_out};
}

algorithm Net::algorithm() const {
    return settings_.winograd ? dnnl::algorithm::convolution_auto : dnnl::algorithm::convolution_direct;
}

int Net::digit(const Node &n, Pass pass) const {
    const size_t at = n.index * pass_count + pass;
    return at < settings_.plan.size() ? settings_.plan[at] - '0' : -1;
}

// Three channels in blocks of 8 or 16 end in the library's reference code.
Tag Net::layout(const Node &n, Pass pass, int channels) const {
    const int d = digit(n, pass);
    const std::string &all = settings_.layout;
    if (d >= 0 ? d % 3 == 1 : all == "nhwc") return Tag::nhwc;
    if (d >= 0 ? d % 3 == 2 : all == "blocked") return channels >= 8 ? blocked() : Tag::any;
    return Tag::any;
}

// The implementation that the plan asks for.
template <class PrimitiveDesc>
PrimitiveDesc Net::choose(PrimitiveDesc first, const Node &n, Pass pass) const {
    PrimitiveDesc chosen = first;
    const int d = digit(n, pass);
    bool found = true;
    for (int i = 0; found && i < d / 3; i++) found = chosen.next_impl();
    if (found && !std::strstr(chosen.impl_info_str(), "ref")) return chosen;
    if (settings_.strict) throw error(dnnl_unimplemented, "the plan can't be carried out");
    if (d >= 0) std::fprintf(stderr, "onednn: a plan made elsewhere? layer %zu falls back\n", n.index + 1);
    return first;
}

// args: one map for each batch, or one for all.
void Net::add(Work &work, const primitive &p, std::vector<Args> args) {
    work.push_back(
        [p, args](int k) { p.execute(queue(), args[args.size() > 1 ? static_cast<size_t>(k) : 0]); });
}

// The memory in another layout or type, copied at that point of the work; itself, if it has them already.
memory Net::reordered(Work &work, const Memory &m, const Desc &desc) {
    if (m.get_desc() == desc) return m;
    const memory to = new_memory(desc);
    add(work, reorder(m, to), {{{DNNL_ARG_FROM, m}, {DNNL_ARG_TO, to}}});
    return to;
}

std::vector<memory> Net::load_batches(const float *values, int channels, const Desc &desc) {
    std::vector<memory> loaded;
    const long size = static_cast<long>(batch_) * channels * picture_side * picture_side;
    const memory::desc plain({batch_, channels, picture_side, picture_side}, Type::f32, Tag::nchw);
    for (int k = 0; k < batches_; k++) {
        memory from(plain, cpu(), const_cast<float *>(values + k * size));
        loaded.push_back(new_memory(desc));
        copy(from, loaded.back());
    }
    return loaded;
}

// --- Parameters ----------------------------------------------------------------------------------------

// The next n of the caller's weights, or random ones within +-scale.
std::vector<float> Net::next_weights(size_t n, float scale) {
    std::vector<float> w(n);
    if (weights_left_) {
        std::memcpy(w.data(), weights_left_, n * sizeof(float));
        weights_left_ += n;
        return w;
    }
    for (float &v : w) {
        seed_ = seed_ * 1664525u + 1013904223u;
        v = scale * (static_cast<float>(seed_ >> 8) / 8388608.f - 1.f);
    }
    return w;
}

// Kernel and bias; `kernel` is what the forward primitive wants to read.
void Net::new_parameters(Node &n, const Desc &kernel) {
    const Layer &l = n.layer;
    const size_t count = static_cast<size_t>(l.channels_out) * static_cast<size_t>(l.channels_in) * 9;
    // a model file has a transposed convolution's input channels first
    const Desc plain(kernel_shape(l), Type::f32, l.kind == Kind::deconv ? Tag::iohw : Tag::oihw);
    const float scale = 1.f / std::sqrt(static_cast<float>(l.channels_in) * 9.f);
    std::vector<float> w = next_weights(count, scale),
                       b = next_weights(static_cast<size_t>(l.channels_out), 0);
    Parameter k, bias;
    k.value = new_memory(of_type(kernel, Type::f32));
    copy(memory(plain, cpu(), w.data()), k.value);
    k.read = k.value;
    if (settings_.bf16) {
        k.read = new_memory(kernel);
        copy(k.value, k.read);
    }
    bias.value = bias.read = new_memory(Desc({l.channels_out}, Type::f32, Tag::x));
    std::memcpy(floats(bias.value), b.data(), b.size() * sizeof(float));
    n.weights = k.read;
    parameters_.push_back(k);
    parameters_.push_back(bias);
}

// --- Forward -------------------------------------------------------------------------------------------

static prop_kind kind_of(bool train) {
    return train ? prop_kind::forward_training : prop_kind::forward_inference;
}

static primitive_attr activation(Act act) {
    primitive_attr attr;
    post_ops ops;
    if (act == Act::relu) ops.append_eltwise(1.f, dnnl::algorithm::eltwise_relu, 0.f, 0.f);
    if (act == Act::sigmoid) ops.append_eltwise(1.f, dnnl::algorithm::eltwise_logistic, 0.f, 0.f);
    if (act == Act::tanh) ops.append_eltwise(1.f, dnnl::algorithm::eltwise_tanh, 0.f, 0.f);
    attr.set_post_ops(ops);
    return attr;
}

// The primitive reads the pictures, brought into its layout beforehand, or what the layer before has made.
void Net::add_forward(Node &n, const primitive &p, const Desc &in, Args args) {
    if (n.index == 0) pictures_ = load_batches(first_pictures_, n.layer.channels_in, in);
    std::vector<Args> all(n.index == 0 ? pictures_.size() : 1, args);
    if (n.index > 0) n.in = reordered(forward_, n.in, in);
    for (size_t k = 0; k < all.size(); k++) all[k].insert({DNNL_ARG_SRC, n.index == 0 ? pictures_[k] : n.in});
    add(forward_, p, all);
}

void Net::forward_conv(Node &n, bool last) {
    const Layer &l = n.layer;
    const Desc in(shape_in(n), type_, layout(n, forward_pass, l.channels_in));
    const Desc out(shape_out(n), last ? Type::f32 : type_, layout(n, forward_pass, l.channels_out));
    const Desc kernel(kernel_shape(l), type_, Tag::any), bias({l.channels_out}, Type::f32, Tag::x);
    const convolution_forward::desc d(kind_of(train_), algorithm(), in, kernel, bias, out, one, one, one);
    n.conv = choose(convolution_forward::primitive_desc(d, activation(l.act), cpu()), n, forward_pass);
    new_parameters(n, n.conv.weights_desc());
    n.out = new_memory(n.conv.dst_desc());
    add_forward(
        n, convolution_forward(n.conv), n.conv.src_desc(),
        {{DNNL_ARG_WEIGHTS, n.weights}, {DNNL_ARG_BIAS, parameters_.back().read}, {DNNL_ARG_DST, n.out}});
}

// Bias and ReLU come from a plain loop: as a post-operation the library does them in scalar code. Of the
// 2 n + 1 rows that the kernel reaches the last is dropped, as by caelum.
void Net::forward_deconv(Node &n) {
    const Layer &l = n.layer;
    if (l.act != Act::relu && l.act != Act::linear)
        throw error(dnnl_unimplemented, "transposed convolution: ReLU or nothing");
    const Desc in(shape_in(n), type_, layout(n, forward_pass, l.channels_in));
    const Desc out(shape_out(n), Type::f32, layout(n, forward_pass, l.channels_out));
    const Desc kernel(kernel_shape(l), type_, Tag::any);
    const deconvolution_forward::desc d(kind_of(train_), dnnl::algorithm::deconvolution_direct, in, kernel,
                                        out, square(l.factor), zero, one);
    n.deconv = deconvolution_forward::primitive_desc(d, cpu());
    new_parameters(n, n.deconv.weights_desc());
    n.out = new_memory(n.deconv.dst_desc());
    add_forward(n, deconvolution_forward(n.deconv), n.deconv.src_desc(),
                {{DNNL_ARG_WEIGHTS, n.weights}, {DNNL_ARG_DST, n.out}});
    const Rows rows = bias_rows(n.out.get_desc());
    float *x = floats(n.out), *b = floats(parameters_.back().value);
    const bool relu = l.act == Act::relu;
    forward_.push_back([=](int) { add_bias(x, b, rows, relu); });
    n.out = reordered(forward_, n.out, of_type(n.out.get_desc(), type_));
}

void Net::forward_pool(Node &n) {
    const pooling_forward::desc d(kind_of(train_), dnnl::algorithm::pooling_max, n.in.get_desc(),
                                  Desc(shape_out(n), type_, Tag::any), square(n.layer.factor),
                                  square(n.layer.factor), zero, zero);
    n.pool = pooling_forward::primitive_desc(d, cpu());
    n.out = new_memory(n.pool.dst_desc());
    Args args = {{DNNL_ARG_SRC, n.in}, {DNNL_ARG_DST, n.out}};
    if (train_) {
        n.workspace = new_memory(n.pool.workspace_desc());
        args.insert({DNNL_ARG_WORKSPACE, n.workspace});
    }
    add(forward_, pooling_forward(n.pool), {args});
}

void Net::forward_upsample(Node &n) {
    const float factor = static_cast<float>(n.layer.factor);
    const resampling_forward::desc d(kind_of(train_), dnnl::algorithm::resampling_nearest, {factor, factor},
                                     n.in.get_desc(), Desc(shape_out(n), type_, Tag::any));
    n.upsample = resampling_forward::primitive_desc(d, cpu());
    n.out = new_memory(n.upsample.dst_desc());
    add(forward_, resampling_forward(n.upsample), {{{DNNL_ARG_SRC, n.in}, {DNNL_ARG_DST, n.out}}});
}

// --- Backward ------------------------------------------------------------------------------------------

// In place, in the layout of the layer's output, which tells where the ReLU let through.
memory Net::backward_relu(const Memory &arriving, const Memory &out) {
    const Desc desc = out.get_desc();
    const memory gradient = reordered(backward_, arriving, desc);
    const eltwise_forward::primitive_desc hint(
        eltwise_forward::desc(prop_kind::forward_training, dnnl::algorithm::eltwise_relu, desc, 0.f, 0.f),
        cpu());
    const eltwise_backward::primitive_desc d(
        eltwise_backward::desc(dnnl::algorithm::eltwise_relu_use_dst_for_bwd, desc, desc, 0.f, 0.f), cpu(),
        hint);
    add(backward_, eltwise_backward(d),
        {{{DNNL_ARG_DST, out}, {DNNL_ARG_DIFF_DST, gradient}, {DNNL_ARG_DIFF_SRC, gradient}}});
    return gradient;
}

memory Net::backward_pool(Node &n, Memory gradient) {
    Node &before = nodes_[n.index - 1];
    if (before.layer.act == Act::relu) {
        gradient = backward_relu(gradient, n.out);
        before.masked = true;
    }
    const pooling_backward::primitive_desc d(
        pooling_backward::desc(dnnl::algorithm::pooling_max, n.in.get_desc(), n.out.get_desc(),
                               square(n.layer.factor), square(n.layer.factor), zero, zero),
        cpu(), n.pool);
    gradient = reordered(backward_, gradient, d.diff_dst_desc());
    const memory result = new_memory(d.diff_src_desc());
    add(backward_, pooling_backward(d),
        {{{DNNL_ARG_DIFF_DST, gradient}, {DNNL_ARG_DIFF_SRC, result}, {DNNL_ARG_WORKSPACE, n.workspace}}});
    return result;
}

memory Net::backward_upsample(Node &n, Memory gradient) {
    Rows rows;
    const int factor = n.layer.factor;
    if (!settings_.bf16 && (factor == 2 || factor == 4) && rows_of(n.in.get_desc(), &rows)) {
        gradient = reordered(backward_, gradient, n.out.get_desc());
        const memory result = new_memory(n.in.get_desc());
        const auto loop = factor == 2 ? upsample_gradient<2> : upsample_gradient<4>;
        float *to = floats(result), *from = floats(gradient);
        const long side = n.layer.side_in;
        backward_.push_back([=](int) { loop(to, from, rows, side); });
        return result;
    }
    const float f = static_cast<float>(factor);
    const resampling_backward::primitive_desc d(resampling_backward::desc(dnnl::algorithm::resampling_nearest,
                                                                          {f, f}, n.in.get_desc(),
                                                                          n.out.get_desc()),
                                                cpu(), n.upsample);
    gradient = reordered(backward_, gradient, d.diff_dst_desc());
    const memory result = new_memory(d.diff_src_desc());
    add(backward_, resampling_backward(d), {{{DNNL_ARG_DIFF_DST, gradient}, {DNNL_ARG_DIFF_SRC, result}}});
    return result;
}

// Gradient of kernel and bias. Returns the arriving gradient as it was read.
memory Net::backward_weights(Node &n, const Memory &arriving, Parameter &kernel, Parameter &bias) {
    const Layer &l = n.layer;
    const Desc in(shape_in(n), type_, layout(n, weights_pass, l.channels_in));
    const Desc out(shape_out(n), type_, layout(n, weights_pass, l.channels_out));
    const Desc w(kernel_shape(l), Type::f32, Tag::any), b({l.channels_out}, Type::f32, Tag::x);
    Desc reads, takes, makes;
    primitive p;
    if (l.kind == Kind::conv) {
        const convolution_backward_weights::desc d(algorithm(), in, w, b, out, one, one, one);
        const auto chosen =
            choose(convolution_backward_weights::primitive_desc(d, cpu(), n.conv), n, weights_pass);
        reads = chosen.src_desc(), takes = chosen.diff_dst_desc(), makes = chosen.diff_weights_desc();
        p = convolution_backward_weights(chosen);
    } else {
        const deconvolution_backward_weights::desc d(dnnl::algorithm::deconvolution_direct, in, w, out,
                                                     square(l.factor), zero, one);
        const deconvolution_backward_weights::primitive_desc chosen(d, cpu(), n.deconv);
        reads = chosen.src_desc(), takes = chosen.diff_dst_desc(), makes = chosen.diff_weights_desc();
        p = deconvolution_backward_weights(chosen);
    }
    const memory gradient = reordered(backward_, arriving, takes), made = new_memory(makes);
    bias.gradient = new_memory(b);
    Args args = {{DNNL_ARG_DIFF_DST, gradient}, {DNNL_ARG_DIFF_WEIGHTS, made}};
    if (l.kind == Kind::conv) args.insert({DNNL_ARG_DIFF_BIAS, bias.gradient});
    std::vector<Args> all;
    if (n.index > 0) {
        all.push_back(args);
        all[0].insert({DNNL_ARG_SRC, reordered(backward_, n.in, reads)});
    }
    for (size_t k = 0; n.index == 0 && k < pictures_.size();
         k++) { // pictures change layout once, outside the step
        memory x = pictures_[k];
        if (x.get_desc() != reads) copy(pictures_[k], x = new_memory(reads));
        all.push_back(args);
        all[k].insert({DNNL_ARG_SRC, x});
    }
    if (l.kind == Kind::deconv) {
        const Rows rows = bias_rows(takes);
        float *sum = floats(bias.gradient);
        void *from = gradient.get_data_handle();
        const bool bf16 = settings_.bf16;
        backward_.push_back([=](int) {
            if (bf16)
                bias_gradient(sum, static_cast<const uint16_t *>(from), rows);
            else
                bias_gradient(sum, static_cast<const float *>(from), rows);
        });
    }
    add(backward_, p, all);
    kernel.gradient = reordered(backward_, made, kernel.value.get_desc());
    return gradient;
}

// Gradient of the layer's input.
memory Net::backward_data(Node &n, const Memory &arriving) {
    const Layer &l = n.layer;
    const Desc in(shape_in(n), type_, layout(n, data_pass, l.channels_in));
    const Desc out(shape_out(n), type_, layout(n, data_pass, l.channels_out));
    const Desc w(kernel_shape(l), type_, Tag::any);
    Desc reads, takes, makes;
    primitive p;
    if (l.kind == Kind::conv) {
        const convolution_backward_data::desc d(algorithm(), in, w, out, one, one, one);
        const auto chosen = choose(convolution_backward_data::primitive_desc(d, cpu(), n.conv), n, data_pass);
        reads = chosen.weights_desc(), takes = chosen.diff_dst_desc(), makes = chosen.diff_src_desc();
        p = convolution_backward_data(chosen);
    } else {
        const deconvolution_backward_data::desc d(dnnl::algorithm::deconvolution_direct, in, w, out,
                                                  square(l.factor), zero, one);
        const deconvolution_backward_data::primitive_desc chosen(d, cpu(), n.deconv);
        reads = chosen.weights_desc(), takes = chosen.diff_dst_desc(), makes = chosen.diff_src_desc();
        p = deconvolution_backward_data(chosen);
    }
    const memory gradient = reordered(backward_, arriving, takes);
    const memory weights = reordered(backward_, n.weights, reads), result = new_memory(makes);
    add(backward_, p,
        {{{DNNL_ARG_DIFF_DST, gradient}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DIFF_SRC, result}}});
    return result;
}

// Nobody needs the gradient of the pictures.
memory Net::backward_weighted(Node &n, Memory gradient, Parameter &kernel, Parameter &bias) {
    if (n.layer.act == Act::relu && !n.masked) gradient = backward_relu(gradient, n.out);
    const memory read = backward_weights(n, gradient, kernel, bias);
    if (n.index == 0) return read;
    return backward_data(n, read);
}

// --- The whole -----------------------------------------------------------------------------------------

Net::Net(const Network &network, const Settings &settings, int batch, int batches, bool train, const float *x,
         const float *t, const float *weights)
    : settings_(settings), batch_(batch), batches_(batches), train_(train),
      type_(settings.bf16 ? Type::bf16 : Type::f32), first_pictures_(x), weights_left_(weights) {
    nodes_.resize(network.layers.size());
    for (size_t i = 0; i < nodes_.size(); i++) {
        Node &n = nodes_[i];
        n.layer = network.layers[i];
        n.index = i;
        if (i > 0) n.in = nodes_[i - 1].out;
        switch (n.layer.kind) {
        case Kind::conv:
            forward_conv(n, i + 1 == nodes_.size());
            break;
        case Kind::deconv:
            forward_deconv(n);
            break;
        case Kind::maxpool:
            forward_pool(n);
            break;
        case Kind::upsample:
            forward_upsample(n);
            break;
        }
    }
    output_ = nodes_.back().out;
    if (!train) return;
    targets_ = load_batches(t, network.channels_out(), output_.get_desc());
    output_gradient_ = new_memory(output_.get_desc());
    memory gradient = output_gradient_;
    size_t p = parameters_.size();
    for (size_t i = nodes_.size(); i-- > 0;) {
        Node &n = nodes_[i];
        if (n.layer.kind == Kind::maxpool) gradient = backward_pool(n, gradient);
        if (n.layer.kind == Kind::upsample) gradient = backward_upsample(n, gradient);
        if (!n.layer.has_weights()) continue;
        p -= 2;
        gradient = backward_weighted(n, gradient, parameters_[p], parameters_[p + 1]);
    }
    for (Parameter &q : parameters_) {
        q.mean.assign(q.value.get_desc().get_size() / sizeof(float), 0.f);
        q.square = q.mean;
    }
}

void Net::infer(int k) {
    for (auto &work : forward_) work(k % batches_);
    queue().wait();
}

// Mean squared error, and its gradient before the last layer's activation.
double Net::output_loss(int k) {
    const float *y = floats(output_), *t = floats(targets_[static_cast<size_t>(k)]);
    float *dy = floats(output_gradient_);
    const long values =
        static_cast<long>(output_.get_desc().get_size() / sizeof(float)); // with padding, all 0
    const auto shape = output_.get_desc().dims();
    const double count = static_cast<double>(shape[0] * shape[1] * shape[2] * shape[3]);
    const float scale = static_cast<float>(2 / count);
    const Act act = nodes_.back().layer.act;
    double sum = 0;
#pragma omp parallel for simd reduction(+ : sum)
    for (long i = 0; i < values; i++) {
        const float e = y[i] - t[i];
        const float slope = act == Act::sigmoid ? y[i] * (1 - y[i])
                            : act == Act::tanh  ? 1 - y[i] * y[i]
                                                : 1.f;
        sum += static_cast<double>(e * e);
        dy[i] = scale * e * slope;
    }
    return sum / count;
}

void Net::adam() {
    const float beta1 = 0.9f, beta2 = 0.999f, epsilon = 1e-8f;
    const double n = static_cast<double>(++steps_);
    const float rate = static_cast<float>(1e-3 / (1 - std::pow(0.9, n)));
    const float correction = static_cast<float>(1 / std::sqrt(1 - std::pow(0.999, n)));
    for (Parameter &p : parameters_) {
        float *w = floats(p.value), *mean = p.mean.data(), *square = p.square.data();
        const float *g = floats(p.gradient);
        const long count = static_cast<long>(p.mean.size());
#pragma omp parallel for simd if (count > 8192)
        for (long i = 0; i < count; i++) {
            mean[i] = beta1 * mean[i] + (1 - beta1) * g[i];
            square[i] = beta2 * square[i] + (1 - beta2) * g[i] * g[i];
            w[i] -= rate * mean[i] / (std::sqrt(square[i]) * correction + epsilon);
        }
        if (p.read != p.value) reorder(p.value, p.read).execute(queue(), p.value, p.read);
    }
}

double Net::step(int k) {
    k %= batches_;
    infer(k);
    const double loss = output_loss(k);
    for (auto &work : backward_) work(k);
    queue().wait();
    adam();
    return loss;
}
