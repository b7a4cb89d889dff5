// Python's lock, let go of and taken back.
//
// A thread that wants the lock back while the interpreter ends does not get it. Up to Python 3.13
// the thread is then ended on the spot, by an unwinding that a destructor takes for an error: a
// daemon thread within a kernel would abort the process. Here it stays where it is for good, which
// is what Python does from 3.14 on.
#pragma once

#include <Python.h>

namespace rnnfast {

/// Lets go of the lock, and takes it back.
PyThreadState* release_gil();
void take_gil(PyThreadState* state);

/// What this thread has got from release_gil; null while it has the lock.
PyThreadState* released_gil();

}  // namespace rnnfast
