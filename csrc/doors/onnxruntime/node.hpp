// What a node of ONNX's LSTM, GRU or RNN, or of ONNX Runtime's DynamicQuantizeLSTM, asks for, in
// ONNX's words, and the cell of ours that computes it. Where ONNX's text leaves something open, it
// is as ONNX Runtime has it:
//
//   clip          bounds what gates and candidates see, not the c that an LSTM's output sees
//   input_forget  f = 1 - i, with peepholes those of i alone
//   activations   those that take a number take the next one of its list; where none is left, 0.01
//                 for LeakyRelu, 0.2 and 0.5 for HardSigmoid, 1 for Elu, otherwise 0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/cell_spec.hpp"

namespace rnnfast::onnx {

/// The last has matrices of whole numbers (doors/onnxruntime/quantized.hpp).
enum class Operator { lstm, gru, rnn, quantized_lstm };
constexpr Operator operators[] = {Operator::lstm, Operator::gru, Operator::rnn,
                                  Operator::quantized_lstm};

constexpr bool is_lstm(Operator op) {
  return op == Operator::lstm || op == Operator::quantized_lstm;
}

/// "LSTM", "GRU", "RNN", "DynamicQuantizeLSTM".
const char* name_of(Operator op);
/// Throws std::invalid_argument for another name.
Operator operator_named(std::string_view name);

/// G of its weights W and R.
int gates_of(Operator op);

struct Attributes {
  std::string direction = "forward";
  std::int64_t hidden_size = 0;  // 0: as R says
  std::vector<std::string> activations = {};
  std::vector<float> activation_alpha = {};
  std::vector<float> activation_beta = {};
  bool clips = false;
  float clip = 0;
  bool input_forget = false;
  bool linear_before_reset = false;
  std::int64_t layout = 0;
};

/// One direction of a node.
struct Direction {
  CellSpec cell;
  bool reverse;
  /// Of each block of rows of the core's weights, which block of ONNX's it is.
  std::vector<int> gates;
  std::vector<int> peepholes = {};
  /// A block of the core's that is what another is, negated; -1: none. As sigmoid(-x) is
  /// 1 - sigmoid(x), so a forget gate comes from an input gate beside peepholes.
  int negated = -1;
};

/// One or two. Throws std::invalid_argument for attributes that are none, or that no cell of ours
/// computes.
std::vector<Direction> directions_of(Operator op, const Attributes& attributes, bool peepholes);

/// Whether one call may run both.
bool are_alike(const Direction& a, const Direction& b);

}  // namespace rnnfast::onnx
