// How things go wrong: exceptions of ours become statuses of TensorFlow's, and a status of its that
// is not well ends what we are at. Nothing is thrown into TensorFlow.
#pragma once

#include "doors/tensorflow/c_api.hpp"

namespace rnnfast::tensorflow {

class Status {
 public:
  Status() : status_(c_api().new_status()) {}
  ~Status() { c_api().delete_status(status_); }
  Status(const Status&) = delete;
  Status& operator=(const Status&) = delete;

  operator TF_Status*() const { return status_; }

 private:
  TF_Status* status_;
};

inline bool is_well(const TF_Status* status) { return c_api().get_code(status) == TF_OK; }

/// Thrown where a status already says what is wrong.
struct AlreadySaid {};

inline void check(const TF_Status* status) {
  if (!is_well(status)) throw AlreadySaid{};
}

/// Has a status say what the exception at hand means.
void say_what_was_thrown(TF_Status* status);

/// Calls body(); `status` then says how it went.
template <class Body>
void guarded(TF_Status* status, Body&& body) noexcept {
  try {
    body();
  } catch (...) {
    say_what_was_thrown(status);
  }
}

}  // namespace rnnfast::tensorflow
