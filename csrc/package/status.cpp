#include "package/status.hpp"

#include <cstdio>

#include "base/threads.hpp"
#include "cpu/dispatch/dispatch.hpp"

namespace rnnfast {
namespace {

// Of a fixed size: there may be no memory to say so.
thread_local char message[512] = "";

}  // namespace

rnnfast_status failed(rnnfast_status status, const char* said) noexcept {
  std::snprintf(message, sizeof message, "%s", said);
  return status;
}

}  // namespace rnnfast

const char* rnnfast_message(void) { return rnnfast::message; }

const char* rnnfast_version(void) { return RNNFAST_VERSION; }

const char* rnnfast_target(void) {
  try {
    return rnnfast::target().name;
  } catch (const std::exception& error) {  // of RNNFAST_TARGET
    rnnfast::failed(RNNFAST_INVALID, error.what());
    return nullptr;
  }
}

rnnfast_status rnnfast_set_threads(int threads) {
  return rnnfast::reported([&] {
    if (threads < 0) throw std::invalid_argument("threads must be at least 0");
    rnnfast::choose_threads(threads);
  });
}
