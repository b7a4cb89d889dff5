// Tests on a GPU: all, or those whose names begin with an argument.
#include "../native/check.hpp"
#include "gpu_device.cuh"

int main(int count, char** arguments) {
  using namespace rnnfast;
  cudaDeviceProp device;
  must(cudaGetDeviceProperties(&device, 0));
  std::printf("%s, compute capability %d.%d\n", device.name, device.major, device.minor);
  for (const testing::Case& test : testing::cases()) {
    if (count > 1 && test.name.rfind(arguments[1], 0) != 0) continue;
    const int before = testing::failures();
    test.body();
    std::printf("%s %s\n", testing::failures() == before ? "ok    " : "FAILED", test.name.c_str());
    std::fflush(stdout);
  }
  std::printf("%d checks failed\n", testing::failures());
  return testing::failures() != 0;
}
