// What drivers have to know of a device.
#pragma once

#include "base/dims.hpp"

namespace rnnfast {

struct Chip {
  int multiprocessors = 0;
  int capability = 0;           // 90 for 9.0
  int resident_threads = 0;     // of a block of a persistent launch
  index resident_bytes = 0;     // of shared memory that such a block may have
  bool is_cooperative = false;  // whether a launch may ask that all its blocks run at once
  int cluster_blocks = 0;       // that a cluster may have; 0: there are none
};

/// A launch of blocks that meet: all of them, or those of each cluster.
struct ResidentLaunch {
  index blocks;
  int threads;  // of a block
  int cluster;  // blocks; 0: the grid meets
  index shared_bytes;
};

}  // namespace rnnfast
