// What a model is behind the C interface.
#pragma once

#include "package/stack.hpp"
#include "package/status.hpp"

struct rnnfast_model {
  rnnfast::Stack stack;

  explicit rnnfast_model(rnnfast::Stack of) : stack(std::move(of)) {}
};
