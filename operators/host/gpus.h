// The graphics processors that an attempt has to itself: what its environment says and which files it needs.
//
// The engine chooses the numbers; which device has one is the order on the bus, as `nvidia-smi` shows it.  Pure
// functions but for a look at /dev.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "operators/wire.h"

namespace pipelined::host {

/// CUDA_VISIBLE_DEVICES, empty for an attempt that has none, so that nobody computes on what is another's.
std::map<std::string, std::string> gpu_environment(const wire::Limits& limits);

/// The device files of NVIDIA's and AMD's drivers for them, as far as this machine has them.
std::vector<std::string> gpu_devices(const wire::Limits& limits);

}  // namespace pipelined::host
