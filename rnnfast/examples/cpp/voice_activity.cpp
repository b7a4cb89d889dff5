// Finds speech as it comes in, by silero-vad's published weights (16 kHz):
//
//   voice_activity silero_vad_16k.safetensors < samples > probabilities
//
// Samples are float32 in [-1, 1]. A frame is 512 of them, 32 ms, after the last 64 of the frame
// before. Of a frame x (576,), mirrored at its end to 640:
//
//   s = |STFT(x)|                     windows of 256 samples, 128 apart: (4, 129)
//   s = relu(conv(s))                 four times, with strides 1, 2, 2, 1: (1, 128) in the end
//   h, c = lstm(s, (h, c))            a session of rnnfast
//   p = sigmoid(w relu(h) + b)        the probability that somebody speaks
//
// Nothing is allocated once a detector is made. rnnfast/examples/voice_activity.py is the same in
// Python.
#include <rnnfast.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

namespace {

constexpr int frame_size = 512;
constexpr int context_size = 64;
constexpr int window_size = 256;
constexpr int window_step = 128;
constexpr int windows = 4;
constexpr int bins = window_size / 2 + 1;
constexpr int features = 128;

/// y (Positions, O) = x w^T + b for rows of x, each K adjacent numbers that begin `step` after
/// those of the row before. Weights lie as they are read: 32 outputs of each k side by side.
class Dense {
 public:
  /// `w(o, k)` tells a weight.
  template <class Weight>
  Dense(int outputs, int length, Weight w, const float* bias)
      : padded_((outputs + lanes - 1) / lanes * lanes), length_(length) {
    weights_.resize(static_cast<std::size_t>(padded_ * length));
    bias_.resize(static_cast<std::size_t>(padded_));
    for (int o = 0; o < outputs; ++o) {
      if (bias) bias_[static_cast<std::size_t>(o)] = bias[o];
      for (int k = 0; k < length; ++k) {
        weights_[static_cast<std::size_t>((o / lanes * length + k) * lanes + o % lanes)] = w(o, k);
      }
    }
  }

  int outputs() const { return padded_; }

  template <int Positions>
  void multiply(const float* x, int step, float* y) const {
    for (int o = 0; o < padded_; o += lanes) {
      const float* w = weights_.data() + o * length_;
      float sum[Positions][lanes];
      for (int p = 0; p < Positions; ++p) std::copy_n(bias_.data() + o, lanes, sum[p]);
      for (int k = 0; k < length_; ++k, w += lanes) {
        for (int p = 0; p < Positions; ++p) {
          for (int i = 0; i < lanes; ++i) sum[p][i] += x[p * step + k] * w[i];
        }
      }
      for (int p = 0; p < Positions; ++p) std::copy_n(sum[p], lanes, y + p * padded_ + o);
    }
  }

 private:
  static constexpr int lanes = 32;

  int padded_;
  int length_;
  std::vector<float> weights_;
  std::vector<float> bias_;
};

/// Three taps over rows of channels, a row of zeros at either end: (O, C, 3) in a file.
Dense convolution(const rnnfast::Weights& weights, const std::string& name, int outputs,
                  int channels) {
  const std::vector<float> taps = weights.values(name + ".weight");
  const std::vector<float> bias = weights.values(name + ".bias");
  return Dense(
      outputs, 3 * channels,
      [&](int o, int k) {
        return taps[static_cast<std::size_t>((o * channels + k % channels) * 3 + k / channels)];
      },
      bias.data());
}

void relu(float* x, int count) {
  for (int i = 0; i < count; ++i) x[i] = std::max(x[i], 0.0F);
}

class Detector {
 public:
  explicit Detector(const rnnfast::Weights& weights)
      : stft_(spectrum(weights)),
        conv1_(convolution(weights, "conv1", 128, bins)),
        conv2_(convolution(weights, "conv2", 64, 128)),
        conv3_(convolution(weights, "conv3", 64, 64)),
        conv4_(convolution(weights, "conv4", features, 64)),
        lstm_(lstm(weights).session()),
        last_(weights.values("final_conv.weight")),
        last_bias_(weights.values("final_conv.bias")[0]) {}

  /// The probability of speech in the next frame.
  float step(const float* frame) {
    float* const x = samples_.data();
    std::copy_n(frame, frame_size, x + context_size);
    const float* const end = x + context_size + frame_size - 1;
    for (int i = 1; i <= context_size; ++i) x[context_size + frame_size - 1 + i] = *(end - i);
    stft_.multiply<windows>(x, window_step, parts_.data());
    std::copy_n(frame + frame_size - context_size, context_size, x);

    // Each layer writes between two rows of zeros, which are what lies beyond its ends.
    for (int t = 0; t < windows; ++t) {
      const float* const part = parts_.data() + t * stft_.outputs();
      float* const row = spectra_.data() + (t + 1) * bins;
      for (int i = 0; i < bins; ++i) {
        row[i] = std::sqrt(part[i] * part[i] + part[bins + i] * part[bins + i]);
      }
    }
    conv1_.multiply<4>(spectra_.data(), bins, first_.data() + 128);
    relu(first_.data() + 128, 4 * 128);
    conv2_.multiply<2>(first_.data(), 2 * 128, second_.data() + 64);
    relu(second_.data() + 64, 2 * 64);
    conv3_.multiply<1>(second_.data(), 0, third_.data() + 64);
    relu(third_.data() + 64, 64);
    conv4_.multiply<1>(third_.data(), 0, input_.data());
    relu(input_.data(), features);

    lstm_.step(input_.data(), h_.data());
    float sum = last_bias_;
    for (int i = 0; i < features; ++i) {
      sum += last_[static_cast<std::size_t>(i)] * std::max(h_[static_cast<std::size_t>(i)], 0.0F);
    }
    return 1 / (1 + std::exp(-sum));
  }

 private:
  static Dense spectrum(const rnnfast::Weights& weights) {
    const std::vector<float> basis = weights.values("stft_conv.weight");
    return Dense(
        2 * bins, window_size,
        [&](int o, int k) { return basis[static_cast<std::size_t>(o * window_size + k)]; },
        nullptr);
  }

  static rnnfast::Model<float> lstm(const rnnfast::Weights& weights) {
    const std::vector<float> w_ih = weights.values("lstm_cell.weight_ih");
    const std::vector<float> w_hh = weights.values("lstm_cell.weight_hh");
    const std::vector<float> b_ih = weights.values("lstm_cell.bias_ih");
    const std::vector<float> b_hh = weights.values("lstm_cell.bias_hh");
    return rnnfast::Model<float>(
        {rnnfast::layer("lstm", features, features, w_ih, w_hh, b_ih, b_hh)});
  }

  Dense stft_, conv1_, conv2_, conv3_, conv4_;
  rnnfast::Session<float> lstm_;
  std::vector<float> last_;
  float last_bias_;
  std::array<float, context_size + frame_size + context_size> samples_ = {};
  std::array<float, windows * 288> parts_ = {};
  std::array<float, 6 * bins> spectra_ = {};
  std::array<float, 6 * 128> first_ = {};
  std::array<float, 4 * 64> second_ = {};
  std::array<float, 3 * 64> third_ = {};
  std::array<float, features> input_ = {};
  std::array<float, features> h_ = {};
};

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: %s silero_vad_16k.safetensors < samples > probabilities\n",
                 arguments[0]);
    return 2;
  }
  try {
    Detector detector{rnnfast::Weights(arguments[1])};
    float frame[frame_size];
    std::vector<double> microseconds;
    while (std::fread(frame, sizeof(float), frame_size, stdin) == frame_size) {
      const auto begin = std::chrono::steady_clock::now();
      const float probability = detector.step(frame);
      const auto end = std::chrono::steady_clock::now();
      microseconds.push_back(std::chrono::duration<double, std::micro>(end - begin).count());
      std::printf("%.8f\n", static_cast<double>(probability));
    }
    if (microseconds.empty()) return 0;
    const auto middle = microseconds.begin() + static_cast<std::ptrdiff_t>(microseconds.size() / 2);
    std::nth_element(microseconds.begin(), middle, microseconds.end());
    std::fprintf(stderr, "%zu frames, %.1f us each (median) on %s\n", microseconds.size(), *middle,
                 rnnfast_target());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
