#include "doors/tensorflow/status.hpp"

#include <new>
#include <stdexcept>

namespace rnnfast::tensorflow {

void say_what_was_thrown(TF_Status* status) {
  try {
    throw;
  } catch (const AlreadySaid&) {
  } catch (const std::invalid_argument& error) {
    c_api().set_status(status, TF_INVALID_ARGUMENT, error.what());
  } catch (const std::bad_alloc&) {
    c_api().set_status(status, TF_RESOURCE_EXHAUSTED, "rnnfast got no memory for a pass");
  } catch (const std::exception& error) {
    c_api().set_status(status, TF_INTERNAL, error.what());
  } catch (...) {
    c_api().set_status(status, TF_INTERNAL, "a pass of rnnfast was interrupted");
  }
}

}  // namespace rnnfast::tensorflow
