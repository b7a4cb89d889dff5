// The operators that ONNX Runtime gets from us, in ONNX's own domain and in the host's: they take
// the place of its own. RegisterCustomOps is what the host asks a library of operators for.
#pragma once

namespace rnnfast::onnx {

struct SessionOptions;
struct Status;
struct Versions;

enum class Domain { of_onnx, of_host };

/// The domain that registrations of this thread add to a session's options: ONNX's where nothing
/// is said. (With ours, the host no longer knows its other operators in nested bodies by the name
/// of its domain: it is for models that need it.)
void register_in(Domain domain);

extern "C" [[gnu::visibility("default")]] Status* RegisterCustomOps(SessionOptions* options,
                                                                    const Versions* versions);

}  // namespace rnnfast::onnx
