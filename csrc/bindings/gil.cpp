#include "bindings/gil.hpp"

#include <pybind11/pybind11.h>

#include <cfenv>

#include "base/helpers.hpp"
#include "base/team.hpp"

namespace rnnfast {
namespace {

namespace py = pybind11;

enum class Handles { unknown, signals, none };
thread_local Handles handles = Handles::unknown;
thread_local unsigned known_since_fork = 0;

/// Handlers run in the main thread alone; others need not ask for the lock again and again.
Handles what_this_thread_handles() {
  const py::module_ threading = py::module_::import("threading");
  const bool is_main =
      threading.attr("get_ident")().equal(threading.attr("main_thread")().attr("ident"));
  return is_main ? Handles::signals : Handles::none;
}

/// Handlers compute as Python does, not in the mode of kernels.
class DefaultMode {
 public:
  DefaultMode() {
    std::fegetenv(&saved_);
    std::fesetenv(FE_DFL_ENV);
  }
  ~DefaultMode() { std::fesetenv(&saved_); }
  DefaultMode(const DefaultMode&) = delete;
  DefaultMode& operator=(const DefaultMode&) = delete;

 private:
  std::fenv_t saved_;
};

bool ask() {
  const DefaultMode mode;
  if (handles == Handles::unknown || known_since_fork != forks()) {
    known_since_fork = forks();
    handles = what_this_thread_handles();
  }
  return PyErr_CheckSignals() != 0;
}

bool interrupted() {
  if (handles == Handles::none && known_since_fork == forks()) return false;
  PyThreadState* const state = released_gil();
  // A thread of a host, or one that the host has let go of the lock, is nobody's to interrupt.
  if (!state) return PyGILState_Check() && ask();
  take_gil(state);
  bool raised = true;
  try {
    raised = ask();
  } catch (py::error_already_set& error) {
    error.restore();
  }
  release_gil();
  return raised;
}

}  // namespace

void watch_signals() {
  ask_for_interrupts(&interrupted);
  py::register_exception_translator([](std::exception_ptr thrown) {
    try {
      if (thrown) std::rethrow_exception(thrown);
    } catch (const Interrupted&) {
      // Python has it already.
    }
  });
}

}  // namespace rnnfast
