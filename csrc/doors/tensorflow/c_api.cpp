#include "doors/tensorflow/c_api.hpp"

#include <dlfcn.h>

#include <optional>
#include <stdexcept>

namespace rnnfast::tensorflow {
namespace {

std::optional<CApi> found;

}  // namespace

Libraries::Libraries(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    // Never given back: TensorFlow cannot be unloaded.
    if (void* const handle = dlopen(path.c_str(), RTLD_NOW | RTLD_NOLOAD))
      handles_.push_back(handle);
  }
}

Libraries::Function Libraries::operator[](const char* name) const {
  for (void* const handle : handles_) {
    if (void* const address = dlsym(handle, name)) return Function(address);
  }
  throw std::runtime_error(std::string("no library of TensorFlow here has ") + name);
}

const CApi& c_api() { return *found; }

void connect(const std::vector<std::string>& paths) { found.emplace(Libraries(paths)); }

}  // namespace rnnfast::tensorflow
