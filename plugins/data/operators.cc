#include "plugins/data/operators.h"

#include <fstream>
#include <sstream>

namespace pipelined {

std::vector<std::string> input_folders(const sdk::Context& context, const std::string& port) {
  std::vector<std::string> folders;
  for (std::int64_t i = 0; i < context.input_count(port); ++i) {
    folders.push_back(context.input_path(port, i).string());
  }
  return folders;
}

Result<void> write_text(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) return Error{ErrorCode::io, "write " + path + ": the system refused"};
  return {};
}

Result<std::string> read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) return Error{ErrorCode::io, "read " + path + ": the system refused"};
  return text.str();
}

}  // namespace pipelined
