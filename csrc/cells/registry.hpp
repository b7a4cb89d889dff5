// The list of cells: a name, as Python knows it, and its type. Kernels, tests and benchmarks loop
// over this list; a new cell is a header beside this one and a line here.
#pragma once

#include "cells/gru.hpp"
#include "cells/gru_norm.hpp"
#include "cells/gru_reset_before.hpp"
#include "cells/lstm.hpp"
#include "cells/lstm_coupled.hpp"
#include "cells/lstm_no_forget.hpp"
#include "cells/lstm_norm.hpp"
#include "cells/mgu.hpp"
#include "cells/rnn.hpp"

#define RNNFAST_CELLS(CELL)                \
  CELL("rnn_tanh", Rnn<Tanh>)              \
  CELL("rnn_relu", Rnn<Relu>)              \
  CELL("rnn_sigmoid", Rnn<Sigmoid>)        \
  CELL("lstm", Lstm)                       \
  CELL("lstm_coupled", LstmCoupled)        \
  CELL("lstm_no_forget", LstmNoForget)     \
  CELL("gru", Gru)                         \
  CELL("gru_reset_before", GruResetBefore) \
  CELL("mgu", Mgu)                         \
  CELL("lstm_norm", LstmNorm)              \
  CELL("gru_norm", GruNorm)
