#include "cuda/blas.hpp"

#include <dlfcn.h>

#include <stdexcept>

namespace rnnfast {
namespace {

template <class Function>
void find(void* library, const std::string& of, const char* name, Function*& function) {
  function = reinterpret_cast<Function*>(dlsym(library, name));
  if (!function) throw std::runtime_error(of + " is no cuBLAS of 12 or later: it has no " + name);
}

}  // namespace

Blas load_blas(const std::vector<std::string>& libraries) {
  std::string tried;
  for (const std::string& name : libraries) {
    void* const library = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) {
      const char* const reason = dlerror();
      tried += std::string(tried.empty() ? "" : "; ") + (reason ? reason : name.c_str());
      continue;
    }
    Blas blas = {};
    find(library, name, "cublasCreate_v2", blas.create);
    find(library, name, "cublasDestroy_v2", blas.destroy);
    find(library, name, "cublasSetStream_v2", blas.set_stream);
    find(library, name, "cublasGemmEx_64", blas.gemm);
    find(library, name, "cublasSetWorkspace_v2", blas.set_workspace);
    return blas;
  }
  throw std::runtime_error("cuBLAS was not found: " + tried);
}

}  // namespace rnnfast
