// The lists of cells: a name, as Python knows it, and its type; those with activations of their
// own, and those whose activations a call chooses, for scalars T. Kernels, tests and benchmarks
// loop over these lists; a new cell is a header beside this one and a line in each.
#pragma once

#include "cells/gru.hpp"
#include "cells/gru_norm.hpp"
#include "cells/gru_reset_before.hpp"
#include "cells/light_gru.hpp"
#include "cells/lstm.hpp"
#include "cells/lstm_norm.hpp"
#include "cells/lstm_peephole.hpp"
#include "cells/mgu.hpp"
#include "cells/rnn.hpp"

#define RNNFAST_CELLS(CELL)                          \
  CELL("rnn_tanh", Rnn<Fixed<Tanh>>)                 \
  CELL("rnn_relu", Rnn<Fixed<Relu>>)                 \
  CELL("rnn_sigmoid", Rnn<Fixed<Sigmoid>>)           \
  CELL("lstm", Lstm<Usual, Forget::own>)             \
  CELL("lstm_coupled", Lstm<Usual, Forget::coupled>) \
  CELL("lstm_no_forget", Lstm<Usual, Forget::none>)  \
  CELL("gru", Gru<Usual>)                            \
  CELL("gru_reset_before", GruResetBefore<Usual>)    \
  CELL("mgu", Mgu<Usual>)                            \
  CELL("light_gru", LightGru<Fixed<Sigmoid, Relu>>)  \
  CELL("lstm_norm", LstmNorm<Usual>)                 \
  CELL("gru_norm", GruNorm<Usual>)

#define RNNFAST_CHOSEN_CELLS(CELL)                                  \
  CELL("rnn", Rnn<ChosenActivations<T>>)                            \
  CELL("lstm", Lstm<ChosenActivations<T>, Forget::own>)             \
  CELL("lstm_coupled", Lstm<ChosenActivations<T>, Forget::coupled>) \
  CELL("lstm_no_forget", Lstm<ChosenActivations<T>, Forget::none>)  \
  CELL("gru", Gru<ChosenActivations<T>>)                            \
  CELL("gru_reset_before", GruResetBefore<ChosenActivations<T>>)    \
  CELL("mgu", Mgu<ChosenActivations<T>>)                            \
  CELL("light_gru", LightGru<ChosenActivations<T>>)                 \
  CELL("lstm_peephole", LstmPeephole<ChosenActivations<T>>)         \
  CELL("lstm_norm", LstmNorm<ChosenActivations<T>>)                 \
  CELL("gru_norm", GruNorm<ChosenActivations<T>>)
