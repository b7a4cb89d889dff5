// One step of every cell in plain doubles, for whoever computes one.
#pragma once

#include <cmath>

#include "math/activation_choice.hpp"

namespace rnnfast::testing {

inline double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

/// The state after one step, from pre-activations a[gate] (input and bias) and u[gate] (recurrent),
/// with weights p of c where the cell has them.
struct Step {
  const char* cell;
  void (*run)(const double* a, const double* u, double& h, double& c, const double* p);
};

inline const Step steps[] = {
    {"rnn_tanh", [](const double* a, const double* u, double& h, double&,
                    const double*) { h = std::tanh(a[0] + u[0] * h); }},
    {"rnn_relu", [](const double* a, const double* u, double& h, double&,
                    const double*) { h = std::fmax(a[0] + u[0] * h, 0); }},
    {"rnn_sigmoid", [](const double* a, const double* u, double& h, double&,
                       const double*) { h = sigmoid(a[0] + u[0] * h); }},
    {"lstm",
     [](const double* a, const double* u, double& h, double& c, const double*) {
       const double i = sigmoid(a[0] + u[0] * h);
       const double f = sigmoid(a[1] + u[1] * h);
       const double g = std::tanh(a[2] + u[2] * h);
       const double o = sigmoid(a[3] + u[3] * h);
       c = f * c + i * g;
       h = o * std::tanh(c);
     }},
    {"lstm_coupled",
     [](const double* a, const double* u, double& h, double& c, const double*) {
       const double i = sigmoid(a[0] + u[0] * h);
       const double g = std::tanh(a[1] + u[1] * h);
       const double o = sigmoid(a[2] + u[2] * h);
       c = (1 - i) * c + i * g;
       h = o * std::tanh(c);
     }},
    {"lstm_no_forget",
     [](const double* a, const double* u, double& h, double& c, const double*) {
       const double i = sigmoid(a[0] + u[0] * h);
       const double g = std::tanh(a[1] + u[1] * h);
       const double o = sigmoid(a[2] + u[2] * h);
       c = c + i * g;
       h = o * std::tanh(c);
     }},
    {"mgu",
     [](const double* a, const double* u, double& h, double&, const double*) {
       const double f = sigmoid(a[0] + u[0] * h);
       const double n = std::tanh(a[1] + u[1] * (f * h));
       h = (1 - f) * h + f * n;
     }},
    {"gru",
     [](const double* a, const double* u, double& h, double&, const double*) {
       const double r = sigmoid(a[0] + u[0] * h);
       const double z = sigmoid(a[1] + u[1] * h);
       const double n = std::tanh(a[2] + r * u[2] * h);
       h = (1 - z) * n + z * h;
     }},
    {"gru_reset_before",
     [](const double* a, const double* u, double& h, double&, const double*) {
       const double r = sigmoid(a[0] + u[0] * h);
       const double z = sigmoid(a[1] + u[1] * h);
       const double n = std::tanh(a[2] + u[2] * (r * h));
       h = (1 - z) * n + z * h;
     }},
    {"light_gru",
     [](const double* a, const double* u, double& h, double&, const double*) {
       const double z = sigmoid(a[0] + u[0] * h);
       const double n = std::fmax(a[1] + u[1] * h, 0.0);
       h = (1 - z) * n + z * h;
     }},
};

/// An activation of each kind, so that no part can stand in for another.
inline const ActivationChoice chosen[] = {
    {ActivationFunction::affine, 0.3, 0.5, 0, 1, 0.8},
    {ActivationFunction::elu, 0.7, 1, -HUGE_VAL, HUGE_VAL, HUGE_VAL},
    {ActivationFunction::scaled_tanh, 1.2, 0.8, -HUGE_VAL, HUGE_VAL, 0.5},
};

inline double clipped(double x, double clip) { return std::fmax(std::fmin(x, clip), -clip); }
inline double of_gates(double x) { return 0.3 * clipped(x, 0.8) + 0.5; }
inline double of_candidate(double x) { return x > 0 ? x : 0.7 * std::expm1(x); }
inline double of_output(double x) { return 1.2 * std::tanh(0.8 * clipped(x, 0.5)); }

inline const Step chosen_steps[] = {
    {"rnn", [](const double* a, const double* u, double& h, double&,
               const double*) { h = of_candidate(a[0] + u[0] * h); }},
    {"lstm",
     [](const double* a, const double* u, double& h, double& c, const double*) {
       const double i = of_gates(a[0] + u[0] * h);
       const double f = of_gates(a[1] + u[1] * h);
       const double g = of_candidate(a[2] + u[2] * h);
       const double o = of_gates(a[3] + u[3] * h);
       c = f * c + i * g;
       h = o * of_output(c);
     }},
    {"lstm_coupled",
     [](const double* a, const double* u, double& h, double& c, const double*) {
       const double i = of_gates(a[0] + u[0] * h);
       const double g = of_candidate(a[1] + u[1] * h);
       const double o = of_gates(a[2] + u[2] * h);
       c = (1 - i) * c + i * g;
       h = o * of_output(c);
     }},
    {"lstm_no_forget",
     [](const double* a, const double* u, double& h, double& c, const double*) {
       const double i = of_gates(a[0] + u[0] * h);
       const double g = of_candidate(a[1] + u[1] * h);
       const double o = of_gates(a[2] + u[2] * h);
       c = c + i * g;
       h = o * of_output(c);
     }},
    {"lstm_peephole",
     [](const double* a, const double* u, double& h, double& c, const double* p) {
       const double i = of_gates(a[0] + u[0] * h + p[0] * c);
       const double f = of_gates(a[1] + u[1] * h + p[1] * c);
       const double g = of_candidate(a[2] + u[2] * h);
       c = f * c + i * g;
       const double o = of_gates(a[3] + u[3] * h + p[2] * c);
       h = o * of_output(c);
     }},
    {"mgu",
     [](const double* a, const double* u, double& h, double&, const double*) {
       const double f = of_gates(a[0] + u[0] * h);
       const double n = of_candidate(a[1] + u[1] * (f * h));
       h = (1 - f) * h + f * n;
     }},
    {"gru",
     [](const double* a, const double* u, double& h, double&, const double*) {
       const double r = of_gates(a[0] + u[0] * h);
       const double z = of_gates(a[1] + u[1] * h);
       const double n = of_candidate(a[2] + r * u[2] * h);
       h = (1 - z) * n + z * h;
     }},
    {"gru_reset_before",
     [](const double* a, const double* u, double& h, double&, const double*) {
       const double r = of_gates(a[0] + u[0] * h);
       const double z = of_gates(a[1] + u[1] * h);
       const double n = of_candidate(a[2] + u[2] * (r * h));
       h = (1 - z) * n + z * h;
     }},
    {"light_gru",
     [](const double* a, const double* u, double& h, double&, const double*) {
       const double z = of_gates(a[0] + u[0] * h);
       const double n = of_candidate(a[1] + u[1] * h);
       h = (1 - z) * n + z * h;
     }},
};

}  // namespace rnnfast::testing
