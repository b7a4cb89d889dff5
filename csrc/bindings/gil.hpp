// Python's lock, let go of while a kernel runs.
//
// A thread that wants the lock back while the interpreter ends does not get it. Up to Python 3.13
// the thread is then ended on the spot, by an unwinding that a destructor takes for an error: a
// daemon thread within a kernel would abort the process. Here it stays where it is for good, which
// is what Python does from 3.14 on.
#pragma once

#include <Python.h>

#include "base/threads.hpp"

namespace rnnfast {

/// Lets go of the lock, and takes it back.
PyThreadState* release_gil();
void take_gil(PyThreadState* state);

/// body() without the lock; what it throws is thrown on with the lock.
template <class Body>
decltype(auto) without_gil(Body&& body) {
  struct Released {
    PyThreadState* const state = release_gil();
    ~Released() { take_gil(state); }
  };
  const Released released;
  const RunningCall call;
  return body();
}

/// Makes calls ask Python, some ten times a second, whether a signal has come whose handler raises:
/// they then end with Interrupted, and what was raised stays set.
void watch_signals();

}  // namespace rnnfast
