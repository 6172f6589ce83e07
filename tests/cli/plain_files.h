// pipectl on plain files: a folder of them, the worker and the standard plugins of this build.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "cli/parse.h"

namespace pipelined::test {

class PlainFiles {
 public:
  PlainFiles() {
    std::string pattern = (std::filesystem::temp_directory_path() / "plain_files_XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  PlainFiles(const PlainFiles&) = delete;
  PlainFiles& operator=(const PlainFiles&) = delete;
  ~PlainFiles() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  /// Writes a file and returns its path.
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ + "/" + name, std::ios::binary) << text;
    return path(name);
  }
  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  std::string read(const std::string& name) const {
    std::ifstream file(path(name), std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }

  cli::Environment environment() const {
    cli::Environment made;
    made.worker = WORKER_PATH;
    made.plugins = PLUGINS_FOLDER;
    return made;
  }

  /// Runs a command line; `code`, `out` and `err` hold what came of it.
  int run(const std::vector<std::string>& words) {
    std::ostringstream to_out, to_err;
    code = cli::run_pipectl(words, {to_out, to_err, false, false, 0}, environment());
    out = to_out.str(), err = to_err.str();
    return code;
  }
  int code = 0;
  std::string out, err;

 private:
  std::string folder_;
};

}  // namespace pipelined::test
