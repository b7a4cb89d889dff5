#include "doors/onnxruntime/node.hpp"

#include <algorithm>
#include <cctype>
#include <cfloat>
#include <limits>
#include <span>
#include <stdexcept>

namespace rnnfast::onnx {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

struct KnownActivation {
  const char* name;
  ActivationChoice choice;  // of the numbers that it does not take
  bool takes_alpha = false;
  bool takes_beta = false;
  float alpha = 0;  // where it is left out
  float beta = 0;
};

using F = ActivationFunction;
const KnownActivation known_activations[] = {
    {"affine", {F::affine, 0, 0, -infinity, infinity, infinity}, true, true},
    {"relu", {F::affine, 1, 0, 0, infinity, infinity}},
    {"leakyrelu", {F::leaky_relu, 0, 0, -infinity, infinity, infinity}, true, false, 0.01f},
    {"thresholdedrelu", {F::thresholded_relu, 0, 0, -infinity, infinity, infinity}, true},
    {"tanh", {F::scaled_tanh, 1, 1, -infinity, infinity, infinity}},
    {"scaledtanh", {F::scaled_tanh, 0, 0, -infinity, infinity, infinity}, true, true},
    {"sigmoid", {F::sigmoid, 1, 0, -infinity, infinity, infinity}},
    {"hardsigmoid", {F::affine, 0, 0, 0, 1, infinity}, true, true, 0.2f, 0.5f},
    {"elu", {F::elu, 0, 1, -infinity, infinity, infinity}, true, false, 1.0f},
    {"softsign", {F::softsign, 1, 0, -infinity, infinity, infinity}},
    {"softplus", {F::softplus, 1, 0, -infinity, infinity, infinity}},
};

std::string lowered(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return text;
}

const KnownActivation& activation_of(const std::string& name) {
  const std::string plain = lowered(name);
  for (const KnownActivation& one : known_activations) {
    if (plain == one.name) return one;
  }
  throw std::invalid_argument(
      "activations must be of Affine, Relu, LeakyRelu, ThresholdedRelu, Tanh, ScaledTanh, Sigmoid, "
      "HardSigmoid, Elu, Softsign and Softplus, got " +
      name);
}

/// Hands out numbers in the order of the activations that take one.
class Numbers {
 public:
  explicit Numbers(std::span<const float> given) : left_(given) {}
  float next(float otherwise) {
    if (left_.empty()) return otherwise;
    const float first = left_.front();
    left_ = left_.subspan(1);
    return first;
  }

 private:
  std::span<const float> left_;
};

int activations_of(Operator op) { return is_lstm(op) ? 3 : op == Operator::gru ? 2 : 1; }

std::vector<std::string> names_of(Operator op, const Attributes& attributes, int directions) {
  const auto each = static_cast<std::size_t>(activations_of(op));
  const std::size_t wanted = each * static_cast<std::size_t>(directions);
  std::vector<std::string> names = attributes.activations;
  if (names.empty()) {
    for (int i = 0; i < directions; ++i) {
      if (op != Operator::rnn) names.emplace_back("sigmoid");
      names.resize(names.size() + (is_lstm(op) ? 2 : 1), "tanh");
    }
  }
  // An RNN's are two by default, also of one direction.
  if (op == Operator::rnn && directions == 1 && names.size() == 2) names.pop_back();
  if (names.size() != wanted) {
    throw std::invalid_argument("activations must be " + std::to_string(wanted) + ", got " +
                                std::to_string(names.size()));
  }
  return names;
}

/// Bounds of x are bounds of y only where a function rises or falls throughout.
bool is_monotone(const ActivationChoice& choice) {
  const bool rises = choice.function == F::leaky_relu || choice.function == F::thresholded_relu ||
                     choice.function == F::elu;
  return !rises || choice.alpha >= 0;
}

std::vector<ActivationChoice> choices_of(Operator op, const Attributes& attributes,
                                         const std::vector<std::string>& names) {
  Numbers alphas(attributes.activation_alpha);
  Numbers betas(attributes.activation_beta);
  std::vector<ActivationChoice> choices;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const KnownActivation& known = activation_of(names[i]);
    ActivationChoice choice = known.choice;
    if (known.takes_alpha) choice.alpha = alphas.next(known.alpha);
    if (known.takes_beta) choice.beta = betas.next(known.beta);
    const bool is_output = is_lstm(op) && i % 3 == 2;
    if (attributes.clips && !is_output) {
      choice.clip = attributes.clip;
      if (!is_monotone(choice)) {
        throw std::invalid_argument("clip beside " + names[i] +
                                    " needs an activation_alpha of at least 0, got " +
                                    std::to_string(choice.alpha));
      }
    }
    choices.push_back(choice);
  }
  return choices;
}

bool is_usual(const ActivationChoice& choice, F function) {
  return choice.function == function && choice.alpha == 1 &&
         (function == F::sigmoid || choice.beta == 1) && choice.clip == infinity;
}

/// The cell with these activations: with those of its own, if they are these.
CellSpec cell_of(const char* name, bool has_own, std::span<const ActivationChoice> choices) {
  if (std::string_view(name) == "rnn") {
    const ActivationChoice& only = choices.front();
    if (is_usual(only, F::scaled_tanh)) return CellSpec("rnn_tanh");
    if (is_usual(only, F::sigmoid)) return CellSpec("rnn_sigmoid");
    const bool is_relu = only.function == F::affine && only.alpha == 1 && only.beta == 0 &&
                         only.lowest == 0 && only.highest == infinity && only.clip == infinity;
    return is_relu ? CellSpec("rnn_relu") : CellSpec(name, choices);
  }
  bool usual = has_own && is_usual(choices[0], F::sigmoid);
  for (const ActivationChoice& other : choices.subspan(1)) {
    usual = usual && is_usual(other, F::scaled_tanh);
  }
  return usual ? CellSpec(name) : CellSpec(name, choices);
}

/// Whether f(-x) = 1 - f(x).
bool is_odd_about_half(const ActivationChoice& gates) {
  const bool is_hard =
      gates.function == F::affine && gates.beta == 0.5 && gates.lowest == 0 && gates.highest == 1;
  return gates.function == F::sigmoid || is_hard;
}

Direction lstm(std::span<const ActivationChoice> choices, bool coupled, bool peepholes,
               bool reverse) {
  // ONNX's are i o f c.
  if (!peepholes) {
    return coupled ? Direction{cell_of("lstm_coupled", true, choices), reverse, {0, 3, 1}}
                   : Direction{cell_of("lstm", true, choices), reverse, {0, 2, 3, 1}};
  }
  const CellSpec cell = cell_of("lstm_peephole", false, choices);
  if (!coupled) return {cell, reverse, {0, 2, 3, 1}, {0, 2, 1}};
  if (!is_odd_about_half(choices[0])) {
    throw std::invalid_argument(
        "input_forget beside peepholes needs a first activation of Sigmoid, or of HardSigmoid with "
        "a beta of 0.5");
  }
  return {cell, reverse, {0, 0, 3, 1}, {0, 0, 1}, 1};
}

/// What bounds h: whole numbers multiply it in steps of 1/127.
Direction quantized_lstm(std::span<const ActivationChoice> choices, bool coupled, bool peepholes,
                         bool reverse) {
  const Direction plain = lstm(choices, coupled, peepholes, reverse);
  if (!coupled && !peepholes && !plain.cell.chooses()) return plain;
  throw std::invalid_argument(
      "DynamicQuantizeLSTM has a kernel with its usual activations alone, without clip, peepholes "
      "and input_forget");
}

Direction gru(std::span<const ActivationChoice> choices, bool reset_after, bool reverse) {
  const char* const name = reset_after ? "gru" : "gru_reset_before";
  return {cell_of(name, true, choices), reverse, {1, 0, 2}};  // ONNX's are z r h
}

}  // namespace

const char* name_of(Operator op) {
  switch (op) {
    case Operator::lstm:
      return "LSTM";
    case Operator::gru:
      return "GRU";
    case Operator::rnn:
      return "RNN";
    case Operator::quantized_lstm:
      return "DynamicQuantizeLSTM";
  }
  __builtin_unreachable();
}

Operator operator_named(std::string_view name) {
  for (const Operator op : operators) {
    if (name == name_of(op)) return op;
  }
  throw std::invalid_argument("no operator named " + std::string(name));
}

int gates_of(Operator op) { return is_lstm(op) ? 4 : op == Operator::gru ? 3 : 1; }

std::vector<Direction> directions_of(Operator op, const Attributes& given, bool peepholes) {
  const std::string& name = given.direction;
  if (name != "forward" && name != "reverse" && name != "bidirectional") {
    throw std::invalid_argument("direction must be forward, reverse or bidirectional, got " + name);
  }
  if (given.layout != 0 && given.layout != 1) {
    throw std::invalid_argument("layout must be 0 or 1, got " + std::to_string(given.layout));
  }
  Attributes attributes = given;
  if (attributes.clips && op == Operator::rnn && attributes.clip < 0) attributes.clips = false;
  if (attributes.clips && op != Operator::rnn && !(attributes.clip > 0)) {
    throw std::invalid_argument("clip must be above 0, got " + std::to_string(attributes.clip));
  }
  if (attributes.clip >= FLT_MAX) attributes.clips = false;
  const int count = name == "bidirectional" ? 2 : 1;
  const std::vector<ActivationChoice> choices =
      choices_of(op, attributes, names_of(op, attributes, count));
  const auto each = static_cast<std::size_t>(activations_of(op));
  std::vector<Direction> directions;
  for (int i = 0; i < count; ++i) {
    const auto own = std::span(choices).subspan(static_cast<std::size_t>(i) * each, each);
    const bool reverse = i == 1 || name == "reverse";
    switch (op) {
      case Operator::lstm:
        directions.push_back(lstm(own, attributes.input_forget, peepholes, reverse));
        break;
      case Operator::quantized_lstm:
        directions.push_back(quantized_lstm(own, attributes.input_forget, peepholes, reverse));
        break;
      case Operator::gru:
        directions.push_back(gru(own, attributes.linear_before_reset, reverse));
        break;
      case Operator::rnn:
        directions.push_back({cell_of("rnn", false, own), reverse, {0}});
        break;
    }
  }
  return directions;
}

bool are_alike(const Direction& a, const Direction& b) {
  if (a.cell.number() != b.cell.number() || a.cell.chooses() != b.cell.chooses()) return false;
  if (!a.cell.chooses()) return true;
  const auto same = [](const ActivationChoice& x, const ActivationChoice& y) {
    return x.function == y.function && x.alpha == y.alpha && x.beta == y.beta &&
           x.lowest == y.lowest && x.highest == y.highest && x.clip == y.clip;
  };
  return std::equal(a.cell.activations(), a.cell.activations() + most_activations,
                    b.cell.activations(), same);
}

}  // namespace rnnfast::onnx
