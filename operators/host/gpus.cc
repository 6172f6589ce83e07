#include "operators/host/gpus.h"

#include <unistd.h>

namespace pipelined::host {
namespace {

/// The first render node of the kernel's DRM has this number.
constexpr int first_render_node = 128;

}  // namespace

std::map<std::string, std::string> gpu_environment(const wire::Limits& limits) {
  std::string numbers;
  for (const int gpu : limits.gpus) numbers += (numbers.empty() ? "" : ",") + std::to_string(gpu);
  if (numbers.empty()) return {{"CUDA_VISIBLE_DEVICES", ""}};
  return {{"CUDA_VISIBLE_DEVICES", numbers}, {"CUDA_DEVICE_ORDER", "PCI_BUS_ID"}};
}

std::vector<std::string> gpu_devices(const wire::Limits& limits) {
  if (limits.gpus.empty()) return {};
  std::vector<std::string> paths = {"/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/kfd"};
  for (const int gpu : limits.gpus) {
    paths.push_back("/dev/nvidia" + std::to_string(gpu));
    paths.push_back("/dev/dri/renderD" + std::to_string(first_render_node + gpu));
  }
  std::erase_if(paths, [](const std::string& path) { return ::access(path.c_str(), F_OK) != 0; });
  return paths;
}

}  // namespace pipelined::host
