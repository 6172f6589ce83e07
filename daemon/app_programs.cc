#include "daemon/app_programs.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "dag/step_ports.h"
#include "daemon/posix/unique_fd.h"

namespace pipelined {
namespace {

/// Digests of programs that changed long ago are forgotten beyond this.
constexpr std::size_t known_max = 4096;

Error failed(const std::string& path) {
  return {errno == ENOENT ? ErrorCode::not_found : ErrorCode::io,
          "cannot read the program " + path + ": " + std::strerror(errno)};
}

/// The program that a step starts, or empty when only the attempt will know it.
std::string program_of(const PipelineStep& step, const Pipeline& pipeline) {
  const auto params =
      resolve_params(step.spec.params, pipeline.step_values(step.fan_source), pipeline.files);
  if (!params) return {};
  if (step.info->id == python_operator) {
    const auto given = params->find("python");
    const ParamInfo* param = step.info->param("python");
    const Value python = given != params->end() ? given->second
                         : param != nullptr     ? param->default_value
                                                : Value();
    return python.as_text() == nullptr ? "" : *python.as_text();
  }
  const auto argv = params->find("argv");
  if (argv == params->end()) return {};
  const ValueList* words = argv->second.as_list();
  if (!words || words->empty()) return {};
  const std::string* program = words->front().as_text();
  if (!program || program->find('{') != std::string::npos) return {};
  return *program;
}

}  // namespace

Result<Program> Programs::find(const std::string& name) {
  if (name.find('/') != std::string::npos) {
    if (name.front() != '/') {
      return Error{ErrorCode::invalid, "the program " + name +
                                           " is a relative path; write an absolute one, or the "
                                           "name of an installed program"};
    }
    TRY(digest, digest_of(name));
    return Program{name, digest};
  }
  std::string_view rest = system_path;
  while (!name.empty() && !rest.empty()) {
    const std::size_t colon = rest.find(':');
    const std::string path = std::string(rest.substr(0, colon)) + "/" + name;
    rest = colon == std::string_view::npos ? std::string_view{} : rest.substr(colon + 1);
    if (::access(path.c_str(), X_OK) != 0) continue;
    TRY(digest, digest_of(path));
    return Program{path, digest};
  }
  return Error{ErrorCode::not_found,
               "there is no program " + name + " in " + std::string(system_path)};
}

Result<Digest> Programs::digest_of(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat facts{};
  if (!fd || ::fstat(fd.get(), &facts) != 0) return failed(path);
  if (!S_ISREG(facts.st_mode)) {
    return Error{ErrorCode::invalid, "the program " + path + " is not a file"};
  }
  const Identity identity{facts.st_dev, facts.st_ino, facts.st_size,
                          facts.st_mtim.tv_sec * 1'000'000'000 + facts.st_mtim.tv_nsec,
                          facts.st_ctim.tv_sec * 1'000'000'000 + facts.st_ctim.tv_nsec};
  if (const auto found = known_.find(identity); found != known_.end()) return found->second;
  Sha256 hash;
  std::array<char, 65536> piece{};
  for (;;) {
    const ssize_t length = ::read(fd.get(), piece.data(), piece.size());
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return failed(path);
    if (length == 0) break;
    hash.update(piece.data(), static_cast<std::size_t>(length));
  }
  if (known_.size() >= known_max) known_.clear();
  return known_[identity] = hash.finish();
}

std::shared_ptr<const Pipeline> Programs::with_programs(std::shared_ptr<const Pipeline> pipeline) {
  std::shared_ptr<Pipeline> changed;
  std::map<std::string, std::shared_ptr<const OperatorInfo>> with;  // by the program
  for (std::size_t i = 0; i < pipeline->steps.size(); ++i) {
    if (!runs_program(pipeline->steps[i].info->id)) continue;
    const std::string name = program_of(pipeline->steps[i], *pipeline);
    if (name.empty()) continue;
    const auto program = find(name);
    if (!program) continue;
    if (!changed) changed = std::make_shared<Pipeline>(*pipeline);
    auto& info = with[pipeline->steps[i].info->id + " " + program->path];
    if (!info) {
      OperatorInfo own = *pipeline->steps[i].info;
      own.libraries.push_back({"program " + program->path, program->digest.hex()});
      info = std::make_shared<const OperatorInfo>(std::move(own));
    }
    changed->steps[i].info = info;
  }
  return changed ? changed : pipeline;
}

}  // namespace pipelined
