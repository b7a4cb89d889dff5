// What our own threads ask of the system's scheduler: where they run, and how soon.
#pragma once

#include <thread>

namespace rnnfast {

/// Has a thread run on any core of the caller's affinity but the one that the caller is on now.
///
/// Systems like to wake a thread where its waker is, and leave it there, waiting, for a time slice
/// or ten while another core idles.
void keep_off_this_core(std::thread::native_handle_type thread);

/// Has the calling thread run at once when it is woken, also where others spin on its core.
///
/// Who has used no more than its share of a core and asks for short slices takes the place of who
/// has long ones (Linux from 6.12 on; nothing happens elsewhere). It gets no more time by it.
void take_short_slices();

}  // namespace rnnfast
