// What a call says of an activation that it chooses. The functions are those of ONNX's recurrent
// operators and some of Keras's, as few as they can be told by two numbers:
//
//   affine              alpha x + beta
//   leaky_relu          x where x >= 0, else alpha x                    alpha >= 0
//   thresholded_relu    x where x >= alpha, else 0                      alpha >= 0
//   sigmoid             1 / (1 + e^-x)
//   scaled_tanh         alpha tanh(beta x)                              alpha not 0
//   elu                 beta x where x > 0, else alpha (e^x - 1)        alpha >= 0, beta > 0
//   softsign            x / (1 + |x|)
//   softplus            log(1 + e^x)
//   exponential         e^x
//
// each of them then no less than `lowest` and no more than `highest`: relu is an affine function of
// at least 0. x itself is bounded to [-clip, clip] before.
#pragma once

namespace rnnfast {

enum class ActivationFunction {
  affine,
  leaky_relu,
  thresholded_relu,
  sigmoid,
  scaled_tanh,
  elu,
  softsign,
  softplus,
  exponential
};

/// Their names, in the same order.
constexpr const char* activation_names[] = {"affine",   "leaky_relu",  "thresholded_relu",
                                            "sigmoid",  "scaled_tanh", "elu",
                                            "softsign", "softplus",    "exponential"};

struct ActivationChoice {
  ActivationFunction function;
  double alpha;
  double beta;
  double lowest;
  double highest;
  double clip;
};

/// Activations of a cell at most: of its gates, its candidate and its output.
constexpr int most_activations = 3;

}  // namespace rnnfast
