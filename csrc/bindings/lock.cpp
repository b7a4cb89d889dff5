#include "bindings/lock.hpp"

#if defined(__GLIBCXX__) && defined(__unix__)
#include <unistd.h>
#define RNNFAST_UNWINDS_THREADS 1
#endif

namespace rnnfast {
namespace {

thread_local PyThreadState* released = nullptr;  // of a thread without the lock

}  // namespace

PyThreadState* release_gil() { return released = PyEval_SaveThread(); }

PyThreadState* released_gil() { return released; }

void take_gil(PyThreadState* state) {
  released = nullptr;
#if defined(RNNFAST_UNWINDS_THREADS)
  try {
    PyEval_RestoreThread(state);
  } catch (...) {  // the unwinding that ends a thread: nothing else is thrown
    while (true) pause();
  }
#else
  PyEval_RestoreThread(state);
#endif
}

}  // namespace rnnfast
