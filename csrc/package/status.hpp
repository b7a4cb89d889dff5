// What goes wrong, as the C interface tells it: a status, and a message of the thread's.
#pragma once

#include <new>
#include <stdexcept>
#include <system_error>

#include "files/json.hpp"
#define RNNFAST_C_ONLY
#include <rnnfast.h>

namespace rnnfast {

/// Keeps the message.
rnnfast_status failed(rnnfast_status status, const char* message) noexcept;

/// A pointer that the caller must have given.
template <class T>
T& required(T* given, const char* name) {
  if (given) return *given;
  throw std::invalid_argument(std::string(name) + " must not be NULL");
}

/// body(), whose failures become statuses.
template <class Body>
rnnfast_status reported(Body&& body) noexcept {
  try {
    body();
    return RNNFAST_OK;
  } catch (const std::bad_alloc&) {
    return failed(RNNFAST_NO_MEMORY, "there is not enough memory");
  } catch (const std::invalid_argument& error) {
    return failed(RNNFAST_INVALID, error.what());
  } catch (const std::system_error& error) {
    return failed(RNNFAST_NO_FILE, error.what());
  } catch (const FileError& error) {
    return failed(RNNFAST_BAD_FILE, error.what());
  } catch (const std::exception& error) {
    return failed(RNNFAST_FAILED, error.what());
  } catch (...) {
    return failed(RNNFAST_FAILED, "unknown");
  }
}

}  // namespace rnnfast
