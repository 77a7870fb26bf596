// Replicates as SIMD lanes: every number is a vector that holds that number of LANES networks of one kind.
// A network is a list of layers; one call trains it for an epoch, another gives its logits. Layouts, lanes last:
// activations (C, H, W) of one image after the other, convolutions (F, C, k, k), linear layers (out, in).

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>

#if defined(__AVX512F__)
constexpr int LANES = 16;
constexpr int WIDE = 7;  // positions whose sums stay in registers, by 3 filters
#else
constexpr int LANES = 8;
constexpr int WIDE = 4;
#endif
constexpr int DEEP = 3;

typedef float Vec __attribute__((vector_size(LANES * sizeof(float)), aligned(LANES * sizeof(float))));
typedef int32_t Mask __attribute__((vector_size(LANES * sizeof(float))));

namespace {

Vec all(float value) { return value - Vec{}; }

// Zeros at an address that vectors can be read from, which std::vector does not promise.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(size_t count) { resize(count); }
  Buffer(Buffer&& other) noexcept : at_(other.at_), count_(other.count_) { other.at_ = nullptr; }
  Buffer& operator=(Buffer&&) = delete;
  ~Buffer() { std::free(at_); }
  void resize(size_t count) {
    std::free(at_);
    at_ = static_cast<Vec*>(std::aligned_alloc(sizeof(Vec), (count ? count : 1) * sizeof(Vec)));
    if (!at_) throw std::bad_alloc();
    count_ = count;
    std::memset(static_cast<void*>(at_), 0, count * sizeof(Vec));
  }
  Vec* data() { return at_; }
  const Vec* data() const { return at_; }
  size_t size() const { return count_; }
  Vec& operator[](size_t place) { return at_[place]; }
  const Vec& operator[](size_t place) const { return at_[place]; }

 private:
  Vec* at_ = nullptr;
  size_t count_ = 0;
};

enum Kind : int32_t { CONVOLUTION = 0, RELU = 1, MAX_POOL = 2, AVERAGE_POOL = 3, MEAN = 4, LINEAR = 5 };

struct Description {
  int32_t kind, in, out, side, trained;  // channels or features; side of the kernel
};

struct Layer {
  Description is;
  int height, width;          // of what goes in
  int out_height, out_width;  // of what comes out
  Buffer value, gradient;    // of what comes out, for a batch
  Buffer padded;             // what a convolution sees
  Vec *weight = nullptr, *bias = nullptr, *weight_step = nullptr, *bias_step = nullptr;
  Buffer weight_gradient, bias_gradient;
  int in_size() const { return is.in * height * width; }
  int out_size() const { return is.out * out_height * out_width; }
  int padded_height() const { return height + is.side - 1; }
  int padded_width() const { return width + is.side - 1; }
  int before() const { return (is.side - 1) / 2; }  // rows of padding above; even kernels have one more below
};

int mirrored(int place, int count) {
  if (place < 0) return -place;
  return place < count ? place : 2 * (count - 1) - place;
}

void pad(const Layer& layer, const Vec* image, Vec* padded) {
  const int shift = layer.before();
  for (int c = 0; c < layer.is.in; ++c)
    for (int y = 0; y < layer.padded_height(); ++y) {
      const Vec* row = image + (c * layer.height + mirrored(y - shift, layer.height)) * layer.width;
      Vec* to = padded + (c * layer.padded_height() + y) * layer.padded_width();
      for (int x = 0; x < layer.padded_width(); ++x) to[x] = row[mirrored(x - shift, layer.width)];
    }
}

void unpad(const Layer& layer, const Vec* padded, Vec* image) {
  const int shift = layer.before();
  for (int i = 0; i < layer.in_size(); ++i) image[i] = Vec{};
  for (int c = 0; c < layer.is.in; ++c)
    for (int y = 0; y < layer.padded_height(); ++y) {
      Vec* row = image + (c * layer.height + mirrored(y - shift, layer.height)) * layer.width;
      const Vec* from = padded + (c * layer.padded_height() + y) * layer.padded_width();
      for (int x = 0; x < layer.padded_width(); ++x) row[mirrored(x - shift, layer.width)] += from[x];
    }
}

// Correlates a padded image with F × P sums in registers. Weights of filter f begin at weight + f * filter_step and of
// channel c at c * channel_step; kernels are read forwards or, for the way back, backwards.
template <int F, int P, bool BACKWARDS>
void correlate_block(const Vec* padded, int padded_height, int padded_width, int channels, int side, const Vec* weight,
                     int filter_step, int channel_step, const Vec* bias, Vec* out, int out_step, int y, int x) {
  Vec sums[F][P];
  for (int f = 0; f < F; ++f)
    for (int p = 0; p < P; ++p) sums[f][p] = bias ? bias[f] : Vec{};
  const int last = side * side - 1;
  for (int c = 0; c < channels; ++c)
    for (int ky = 0; ky < side; ++ky) {
      const Vec* row = padded + (c * padded_height + y + ky) * padded_width + x;
      for (int kx = 0; kx < side; ++kx) {
        const int place = BACKWARDS ? last - (ky * side + kx) : ky * side + kx;
        Vec seen[P];
        for (int p = 0; p < P; ++p) seen[p] = row[kx + p];
        for (int f = 0; f < F; ++f) {
          const Vec one = weight[f * filter_step + c * channel_step + place];
          for (int p = 0; p < P; ++p) sums[f][p] += one * seen[p];
        }
      }
    }
  for (int f = 0; f < F; ++f)
    for (int p = 0; p < P; ++p) out[f * out_step + p] = sums[f][p];
}

template <int F, bool BACKWARDS>
void correlate_rows(const Vec* padded, int padded_height, int padded_width, int channels, int side, const Vec* weight,
                    int filter_step, int channel_step, const Vec* bias, Vec* out, int out_height, int out_width) {
  const int area = out_height * out_width;
  for (int y = 0; y < out_height; ++y) {
    int x = 0;
    for (; x + WIDE <= out_width; x += WIDE)
      correlate_block<F, WIDE, BACKWARDS>(padded, padded_height, padded_width, channels, side, weight, filter_step,
                                          channel_step, bias, out + y * out_width + x, area, y, x);
    for (; x + 2 <= out_width; x += 2)
      correlate_block<F, 2, BACKWARDS>(padded, padded_height, padded_width, channels, side, weight, filter_step,
                                       channel_step, bias, out + y * out_width + x, area, y, x);
    for (; x < out_width; ++x)
      correlate_block<F, 1, BACKWARDS>(padded, padded_height, padded_width, channels, side, weight, filter_step,
                                       channel_step, bias, out + y * out_width + x, area, y, x);
  }
}

template <bool BACKWARDS>
void correlate(const Vec* padded, int padded_height, int padded_width, int channels, int side, const Vec* weight,
               int filter_step, int channel_step, const Vec* bias, Vec* out, int filters, int out_height,
               int out_width) {
  const int area = out_height * out_width;
  int f = 0;
  for (; f + DEEP <= filters; f += DEEP)
    correlate_rows<DEEP, BACKWARDS>(padded, padded_height, padded_width, channels, side, weight + f * filter_step,
                                    filter_step, channel_step, bias ? bias + f : nullptr, out + f * area, out_height,
                                    out_width);
  for (; f < filters; ++f)
    correlate_rows<1, BACKWARDS>(padded, padded_height, padded_width, channels, side, weight + f * filter_step,
                                 filter_step, channel_step, bias ? bias + f : nullptr, out + f * area, out_height,
                                 out_width);
}

// The gradient of F filters' weights at K places of a kernel's row, over all images of a batch.
template <int F, int K>
void weight_block(const Layer& layer, int images, int f, int c, int ky, int kx, Vec* out) {
  Vec sums[F][K] = {};
  const int area = layer.out_height * layer.out_width;
  for (int n = 0; n < images; ++n) {
    const Vec* gradient = layer.gradient.data() + n * layer.out_size() + f * area;
    const Vec* padded = layer.padded.data() +
                        (n * layer.is.in + c) * layer.padded_height() * layer.padded_width() + ky * layer.padded_width() + kx;
    for (int y = 0; y < layer.out_height; ++y)
      for (int x = 0; x < layer.out_width; ++x) {
        Vec seen[K];
        for (int k = 0; k < K; ++k) seen[k] = padded[y * layer.padded_width() + x + k];
        for (int i = 0; i < F; ++i) {
          const Vec one = gradient[i * area + y * layer.out_width + x];
          for (int k = 0; k < K; ++k) sums[i][k] += one * seen[k];
        }
      }
  }
  const int kernel = layer.is.side * layer.is.side;
  for (int i = 0; i < F; ++i)
    for (int k = 0; k < K; ++k) out[(i * layer.is.in + c) * kernel + ky * layer.is.side + kx + k] = sums[i][k];
}

template <int F>
void weight_rows(const Layer& layer, int images, int f, Vec* out) {
  for (int c = 0; c < layer.is.in; ++c)
    for (int ky = 0; ky < layer.is.side; ++ky) {
      int kx = 0;
      for (; kx + WIDE <= layer.is.side; kx += WIDE) weight_block<F, WIDE>(layer, images, f, c, ky, kx, out);
      for (; kx + 3 <= layer.is.side; kx += 3) weight_block<F, 3>(layer, images, f, c, ky, kx, out);
      for (; kx < layer.is.side; ++kx) weight_block<F, 1>(layer, images, f, c, ky, kx, out);
    }
}

struct Network {
  std::vector<Layer> layers;
  int batch, classes;
  Buffer images;
};

void convolve(Layer& layer, const Vec* in, int images) {
  const int seen = layer.is.in * layer.padded_height() * layer.padded_width();
  for (int n = 0; n < images; ++n) {
    Vec* padded = layer.padded.data() + n * seen;
    pad(layer, in + n * layer.in_size(), padded);
    const int kernel = layer.is.side * layer.is.side;
    correlate<false>(padded, layer.padded_height(), layer.padded_width(), layer.is.in, layer.is.side, layer.weight,
                     layer.is.in * kernel, kernel, layer.bias, layer.value.data() + n * layer.out_size(), layer.is.out,
                     layer.out_height, layer.out_width);
  }
}

void convolve_back(Layer& layer, Vec* in_gradient, int images) {
  const int area = layer.out_height * layer.out_width, side = layer.is.side, kernel = side * side;
  if (layer.is.trained) {
    int f = 0;
    for (; f + DEEP <= layer.is.out; f += DEEP)
      weight_rows<DEEP>(layer, images, f, layer.weight_gradient.data() + f * layer.is.in * kernel);
    for (; f < layer.is.out; ++f)
      weight_rows<1>(layer, images, f, layer.weight_gradient.data() + f * layer.is.in * kernel);
    for (f = 0; f < layer.is.out; ++f) {
      Vec sum = {};
      for (int n = 0; n < images; ++n)
        for (int i = 0; i < area; ++i) sum += layer.gradient[n * layer.out_size() + f * area + i];
      layer.bias_gradient[f] = sum;
    }
  }
  if (!in_gradient) return;
  // Full correlation with the kernels turned round, then the border folded back onto the image that it mirrors.
  const int high = layer.out_height + 2 * (side - 1), wide = layer.out_width + 2 * (side - 1);
  Buffer around(layer.is.out * high * wide), whole(layer.is.in * layer.padded_height() * layer.padded_width());
  for (int n = 0; n < images; ++n) {
    for (int f = 0; f < layer.is.out; ++f)
      for (int y = 0; y < layer.out_height; ++y)
        std::memcpy(&around[(f * high + y + side - 1) * wide + side - 1],
                    &layer.gradient[n * layer.out_size() + f * area + y * layer.out_width],
                    layer.out_width * sizeof(Vec));
    correlate<true>(around.data(), high, wide, layer.is.out, side, layer.weight, kernel, layer.is.in * kernel, nullptr,
                    whole.data(), layer.is.in, layer.padded_height(), layer.padded_width());
    unpad(layer, whole.data(), in_gradient + n * layer.in_size());
  }
}

// Sums of OUT outputs over all inputs stay in registers for a few images at once.
template <int N>
void linear_block(const Layer& layer, const Vec* in, int n) {
  const int features = layer.in_size(), outs = layer.out_size();
  for (int o = 0; o < outs; ++o) {
    Vec sums[N];
    for (int i = 0; i < N; ++i) sums[i] = layer.bias[o];
    const Vec* row = layer.weight + o * features;
    for (int j = 0; j < features; ++j)
      for (int i = 0; i < N; ++i) sums[i] += row[j] * in[(n + i) * features + j];
    for (int i = 0; i < N; ++i) const_cast<Layer&>(layer).value[(n + i) * outs + o] = sums[i];
  }
}

void linear(Layer& layer, const Vec* in, int images) {
  int n = 0;
  for (; n + 10 <= images; n += 10) linear_block<10>(layer, in, n);
  for (; n + 4 <= images; n += 4) linear_block<4>(layer, in, n);
  for (; n < images; ++n) linear_block<1>(layer, in, n);
}

void linear_back(Layer& layer, const Vec* in, Vec* in_gradient, int images) {
  const int features = layer.in_size(), outs = layer.out_size();
  if (layer.is.trained)
    for (int o = 0; o < outs; ++o) {
      Vec* row = layer.weight_gradient.data() + o * features;
      Vec sum = {};
      for (int n = 0; n < images; ++n) sum += layer.gradient[n * outs + o];
      layer.bias_gradient[o] = sum;
      for (int j = 0; j < features; ++j) row[j] = Vec{};
      for (int n = 0; n < images; n += 4) {
        const int some = images - n < 4 ? images - n : 4;
        Vec one[4];
        for (int i = 0; i < some; ++i) one[i] = layer.gradient[(n + i) * outs + o];
        if (some == 4)
          for (int j = 0; j < features; ++j)
            row[j] += one[0] * in[n * features + j] + one[1] * in[(n + 1) * features + j] +
                      one[2] * in[(n + 2) * features + j] + one[3] * in[(n + 3) * features + j];
        else
          for (int i = 0; i < some; ++i)
            for (int j = 0; j < features; ++j) row[j] += one[i] * in[(n + i) * features + j];
      }
    }
  if (!in_gradient) return;
  for (int n = 0; n < images; ++n) {
    Vec* to = in_gradient + n * features;
    for (int j = 0; j < features; ++j) to[j] = Vec{};
    for (int o = 0; o < outs; ++o) {
      const Vec one = layer.gradient[n * outs + o];
      const Vec* row = layer.weight + o * features;
      for (int j = 0; j < features; ++j) to[j] += one * row[j];
    }
  }
}

void pool(Layer& layer, const Vec* in, int images) {
  for (int n = 0; n < images; ++n)
    for (int c = 0; c < layer.is.out; ++c)
      for (int y = 0; y < layer.out_height; ++y)
        for (int x = 0; x < layer.out_width; ++x) {
          const Vec* at = in + n * layer.in_size() + (c * layer.height + 2 * y) * layer.width + 2 * x;
          const Vec a = at[0], b = at[1], d = at[layer.width], e = at[layer.width + 1];
          Vec& to = layer.value[n * layer.out_size() + (c * layer.out_height + y) * layer.out_width + x];
          if (layer.is.kind == MAX_POOL) {
            const Vec upper = a > b ? a : b, lower = d > e ? d : e;
            to = upper > lower ? upper : lower;
          } else {
            to = (a + b + d + e) * all(0.25f);
          }
        }
}

void pool_back(Layer& layer, const Vec* in, Vec* in_gradient, int images) {
  for (int i = 0; i < images * layer.in_size(); ++i) in_gradient[i] = Vec{};
  for (int n = 0; n < images; ++n)
    for (int c = 0; c < layer.is.out; ++c)
      for (int y = 0; y < layer.out_height; ++y)
        for (int x = 0; x < layer.out_width; ++x) {
          const int at = n * layer.in_size() + (c * layer.height + 2 * y) * layer.width + 2 * x;
          const int to = n * layer.out_size() + (c * layer.out_height + y) * layer.out_width + x;
          const Vec gradient = layer.gradient[to];
          const int places[4] = {at, at + 1, at + layer.width, at + layer.width + 1};
          if (layer.is.kind == AVERAGE_POOL) {
            for (int place : places) in_gradient[place] = gradient * all(0.25f);
            continue;
          }
          // The first of equal ones takes it all, as in torch.
          Mask left = Mask{} == Mask{};
          for (int place : places) {
            const Mask here = left & (in[place] == layer.value[to]);
            in_gradient[place] = here ? gradient : Vec{};
            left &= ~here;
          }
        }
}

void forward(Network& network, const Vec* images, int count) {
  const Vec* in = images;
  for (Layer& layer : network.layers) {
    const int size = layer.in_size();
    switch (layer.is.kind) {
      case CONVOLUTION: convolve(layer, in, count); break;
      case LINEAR: linear(layer, in, count); break;
      case MAX_POOL:
      case AVERAGE_POOL: pool(layer, in, count); break;
      case RELU:
        for (int i = 0; i < count * size; ++i) layer.value[i] = in[i] > Vec{} ? in[i] : Vec{};
        break;
      case MEAN: {
        const int area = layer.height * layer.width;
        for (int i = 0; i < count * layer.is.in; ++i) {
          Vec sum = {};
          for (int j = 0; j < area; ++j) sum += in[i * area + j];
          layer.value[i] = sum * all(1.0f / area);
        }
      }
    }
    in = layer.value.data();
  }
}

void backward(Network& network, const Vec* images, int count) {
  for (int place = int(network.layers.size()) - 1; place >= 0; --place) {
    Layer& layer = network.layers[place];
    const Vec* in = place ? network.layers[place - 1].value.data() : images;
    Vec* to = place ? network.layers[place - 1].gradient.data() : nullptr;
    bool below = false;  // whether anything is trained further down
    for (int i = 0; i < place; ++i) below |= network.layers[i].is.trained != 0;
    if (!below) to = nullptr;
    switch (layer.is.kind) {
      case CONVOLUTION: convolve_back(layer, to, count); break;
      case LINEAR: linear_back(layer, in, to, count); break;
      case MAX_POOL:
      case AVERAGE_POOL:
        if (to) pool_back(layer, in, to, count);
        break;
      case RELU:
        if (to)
          for (int i = 0; i < count * layer.in_size(); ++i) to[i] = in[i] > Vec{} ? layer.gradient[i] : Vec{};
        break;
      case MEAN:
        if (to) {
          const int area = layer.height * layer.width;
          for (int i = 0; i < count * layer.is.in; ++i)
            for (int j = 0; j < area; ++j) to[i * area + j] = layer.gradient[i] * all(1.0f / area);
        }
    }
    if (!below) break;
  }
}

// Cross-entropy of the last layer's logits: its mean's gradient goes there; sums and hits are added up.
void lose(Network& network, const int32_t* labels, int count, double* loss, int64_t* right) {
  Layer& last = network.layers.back();
  const int classes = network.classes;
  for (int n = 0; n < count; ++n) {
    const Vec* logits = last.value.data() + n * classes;
    for (int lane = 0; lane < LANES; ++lane) {
      float highest = logits[0][lane];
      int best = 0;
      for (int k = 1; k < classes; ++k)
        if (logits[k][lane] > highest) highest = logits[k][lane], best = k;
      float total = 0;
      for (int k = 0; k < classes; ++k) total += std::exp(logits[k][lane] - highest);
      const int label = labels[n * LANES + lane];
      loss[lane] += std::log(double(total)) - (logits[label][lane] - highest);
      right[lane] += best == label;
      for (int k = 0; k < classes; ++k)
        last.gradient[n * classes + k][lane] =
            (std::exp(logits[k][lane] - highest) / total - float(k == label)) / float(count);
    }
  }
}

void descend(Vec* weight, Vec* step, const Vec* gradient, int count, Vec rate, Vec momentum, Vec decay) {
  for (int i = 0; i < count; ++i) {
    step[i] = momentum * step[i] + (gradient[i] + decay * weight[i]);
    weight[i] -= rate * step[i];
  }
}

// Images of a batch, another one in every lane: rows (batch, LANES) into data (LANES pointers) of (rows, size).
void gather(Network& network, const float* const* data, const int32_t* rows, int count, int size) {
  for (int n = 0; n < count; ++n) {
    const float* from[LANES];
    for (int lane = 0; lane < LANES; ++lane) from[lane] = data[lane] + int64_t(rows[n * LANES + lane]) * size;
    Vec* to = network.images.data() + n * size;
    for (int i = 0; i < size; ++i)
      for (int lane = 0; lane < LANES; ++lane) to[i][lane] = from[lane][i];
  }
}

}  // namespace

extern "C" {

int lanes_width() { return LANES; }

void* lanes_create(const int32_t* descriptions, int layers, int height, int width, int batch) {
  Network* network = new Network;
  network->batch = batch;
  const Description* given = reinterpret_cast<const Description*>(descriptions);
  for (int i = 0; i < layers; ++i) {
    Layer layer;
    layer.is = given[i];
    layer.height = height;
    layer.width = width;
    const bool pools = layer.is.kind == MAX_POOL || layer.is.kind == AVERAGE_POOL;
    if (layer.is.kind == LINEAR) layer.is.in /= height * width;  // it is told in features
    height = layer.out_height = pools ? height / 2 : layer.is.kind == MEAN || layer.is.kind == LINEAR ? 1 : height;
    width = layer.out_width = pools ? width / 2 : layer.is.kind == MEAN || layer.is.kind == LINEAR ? 1 : width;
    layer.value.resize(size_t(batch) * layer.out_size());
    layer.gradient.resize(size_t(batch) * layer.out_size());
    if (layer.is.kind == CONVOLUTION) {
      layer.padded.resize(size_t(batch) * layer.is.in * layer.padded_height() * layer.padded_width());
      layer.weight_gradient.resize(size_t(layer.is.out) * layer.is.in * layer.is.side * layer.is.side);
      layer.bias_gradient.resize(layer.is.out);
    } else if (layer.is.kind == LINEAR) {
      layer.weight_gradient.resize(size_t(layer.out_size()) * layer.in_size());
      layer.bias_gradient.resize(layer.out_size());
    }
    network->layers.push_back(std::move(layer));
  }
  network->classes = network->layers.back().out_size();
  network->images.resize(size_t(batch) * network->layers.front().in_size());
  return network;
}

void lanes_destroy(void* network) { delete static_cast<Network*>(network); }

// The parameters of layer `place`, and the steps of their momentum; all stay the caller's.
void lanes_bind(void* made, int place, float* weight, float* bias, float* weight_step, float* bias_step) {
  Layer& layer = static_cast<Network*>(made)->layers[place];
  layer.weight = reinterpret_cast<Vec*>(weight);
  layer.bias = reinterpret_cast<Vec*>(bias);
  layer.weight_step = reinterpret_cast<Vec*>(weight_step);
  layer.bias_step = reinterpret_cast<Vec*>(bias_step);
}

// One epoch: batches by their first rows `starts` (batches + 1). `optimizer` holds LANES learning rates, momenta and decays.
// With `step` 0 nothing is changed, and the gradients of the last batch can be read.
void lanes_epoch(void* made, const float* const* data, const int32_t* rows, const int32_t* labels,
                 const int32_t* starts, int batches, const float* optimizer, int step, double* loss, int64_t* right) {
  Network& network = *static_cast<Network*>(made);
  const int size = network.layers.front().in_size();
  Vec rate, momentum, decay;
  std::memcpy(&rate, optimizer, sizeof(Vec));
  std::memcpy(&momentum, optimizer + LANES, sizeof(Vec));
  std::memcpy(&decay, optimizer + 2 * LANES, sizeof(Vec));
  for (int b = 0; b < batches; ++b) {
    const int first = starts[b], count = starts[b + 1] - first;
    gather(network, data, rows + first * LANES, count, size);
    forward(network, network.images.data(), count);
    lose(network, labels + first * LANES, count, loss, right);
    backward(network, network.images.data(), count);
    if (!step) continue;
    for (Layer& layer : network.layers) {
      if (!layer.is.trained) continue;
      descend(layer.weight, layer.weight_step, layer.weight_gradient.data(), layer.weight_gradient.size(), rate,
              momentum, decay);
      descend(layer.bias, layer.bias_step, layer.bias_gradient.data(), layer.bias_gradient.size(), rate, momentum,
              decay);
    }
  }
}

// Logits (count, K, LANES) of as many images of each lane's data, from row 0.
void lanes_logits(void* made, const float* const* data, int count, float* logits) {
  Network& network = *static_cast<Network*>(made);
  const int size = network.layers.front().in_size();
  std::vector<int32_t> rows(size_t(network.batch) * LANES);
  for (int first = 0; first < count; first += network.batch) {
    const int some = count - first < network.batch ? count - first : network.batch;
    for (int n = 0; n < some; ++n)
      for (int lane = 0; lane < LANES; ++lane) rows[n * LANES + lane] = first + n;
    gather(network, data, rows.data(), some, size);
    forward(network, network.images.data(), some);
    std::memcpy(logits + size_t(first) * network.classes * LANES, network.layers.back().value.data(),
                size_t(some) * network.classes * sizeof(Vec));
  }
}

void lanes_gradients(void* made, int place, float* weight, float* bias) {
  const Layer& layer = static_cast<Network*>(made)->layers[place];
  std::memcpy(weight, layer.weight_gradient.data(), layer.weight_gradient.size() * sizeof(Vec));
  std::memcpy(bias, layer.bias_gradient.data(), layer.bias_gradient.size() * sizeof(Vec));
}
}
