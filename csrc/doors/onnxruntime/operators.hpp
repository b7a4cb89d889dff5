// The operators that ONNX Runtime gets from us, in ONNX's own domain: they take the place of its
// own. RegisterCustomOps is what the host asks a library of operators for.
#pragma once

namespace rnnfast::onnx {

struct SessionOptions;
struct Status;
struct Versions;

extern "C" [[gnu::visibility("default")]] Status* RegisterCustomOps(SessionOptions* options,
                                                                    const Versions* versions);

}  // namespace rnnfast::onnx
