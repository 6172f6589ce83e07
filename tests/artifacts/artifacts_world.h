// A store folder, a loop that runs posted functions, and short names for what tests do often.
//
// Waiting is always for a callback, never for time.  One loop thread: the test's own.
#pragma once

#include <sys/stat.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "daemon/artifacts/artifacts.h"
#include "tests/store/store_world.h"

namespace pipelined {

/// Runs what other threads post, on the thread that calls `run_until`.
class TestLoop {
 public:
  void post(std::function<void()> work) {
    {
      const std::lock_guard lock(mutex_);
      queue_.push_back(std::move(work));
    }
    wake_.notify_one();
  }
  template <class Done>
  void run_until(Done done) {
    while (!done()) {
      std::vector<std::function<void()>> work;
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return !queue_.empty(); });
        work.swap(queue_);
      }
      for (const auto& function : work) function();
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::function<void()>> queue_;
};

/// Artifacts on a folder, and what was recorded of them.
class ArtifactsWorld {
 public:
  explicit ArtifactsWorld(std::string folder) : folder_(std::move(folder)) { open(); }

  void open() {
    ArtifactsOptions options;
    options.folder = folder_;
    options.post = [this](std::function<void()> work) { loop.post(std::move(work)); };
    options.find_manifest = [this](const Digest& digest) -> std::optional<Manifest> {
      const auto found = recorded.find(digest);
      if (found == recorded.end()) return std::nullopt;
      return found->second;
    };
    auto opened = Artifacts::open(options);
    if (!opened) std::fprintf(stderr, "%s\n", opened.error().message.c_str());
    CHECK(opened.has_value());
    artifacts = *std::move(opened);
  }
  /// A new start of the daemon on the same folder.
  void open_again() {
    record();
    artifacts.reset();
    open();
  }
  /// What a commit does: the manifests are in the records from now on.
  void record() {
    for (const Manifest& manifest : artifacts->unrecorded()) recorded[manifest.digest()] = manifest;
    artifacts->forget_unrecorded(artifacts->unrecorded().size());
  }

  AttemptPlan begin(const std::string& attempt, const std::vector<ArtifactRef>& inputs = {}) {
    const auto plan = prepare(attempt, inputs);
    if (!plan) std::fprintf(stderr, "%s\n", plan.error().message.c_str());
    CHECK(plan.has_value());
    return *plan;
  }
  Result<AttemptPlan> prepare(const std::string& attempt, const std::vector<ArtifactRef>& inputs) {
    effect::StartAttempt start;
    start.attempt = attempt;
    if (!inputs.empty()) start.inputs = {{"in", inputs[0].type, inputs}};
    return wait<AttemptPlan>([&](auto done) { artifacts->prepare(start, done); });
  }
  Result<ArtifactPort::Promoted> promote(const AttemptPlan& plan,
                                         const std::vector<std::string>& ports) {
    return wait<ArtifactPort::Promoted>(
        [&](auto done) { artifacts->promote(plan, specs(ports), done); });
  }
  Result<Manifest> snapshot(const std::string& path,
                            const std::optional<FileFacts>& at_rest = std::nullopt) {
    return wait<Manifest>([&](auto done) { artifacts->snapshot(path, at_rest, "files/1", done); });
  }
  Result<Manifest> put(const std::string& name, const std::string& text) {
    return wait<Manifest>([&](auto done) { artifacts->put_text("files/1", name, text, done); });
  }
  Result<Verdict> verify(const Digest& artifact) {
    return wait<Verdict>([&](auto done) { artifacts->verify(artifact, done); });
  }
  /// Waits until everything queued before is done.
  void settle() { static_cast<void>(verify(Digest{})); }

  template <class Value, class Start>
  Result<Value> wait(Start start) {
    std::optional<Result<Value>> answer;
    start([&answer](Result<Value> result) { answer.emplace(std::move(result)); });
    loop.run_until([&answer] { return answer.has_value(); });
    return *std::move(answer);
  }

  static std::vector<OutputSpec> specs(const std::vector<std::string>& ports) {
    std::vector<OutputSpec> outputs;
    for (const std::string& port : ports) outputs.push_back({port, "examples/1", false, false, {}});
    return outputs;
  }
  std::string object(const std::string& content, bool exec = false) const {
    const std::string hex = sha256(content).hex();
    return folder_ + "/objects/" + hex.substr(0, 2) + "/" + hex.substr(2) + (exec ? ".x" : "");
  }
  const std::string& folder() const { return folder_; }

  TestLoop loop;
  std::map<Digest, Manifest> recorded;
  std::unique_ptr<Artifacts> artifacts;

 private:
  std::string folder_;
};

inline void write_text(const std::string& path, const std::string& text) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

inline std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline mode_t mode_of(const std::string& path) {
  struct stat found {};
  CHECK(::lstat(path.c_str(), &found) == 0);
  return found.st_mode & 07777;
}

/// Replaces a read-only object's bytes, as a bad disk would.
inline void damage(const std::string& path, const std::string& text) {
  ::chmod(path.c_str(), 0644);
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
  ::chmod(path.c_str(), 0444);
}

inline std::vector<std::string> entries_of(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  return names;
}

}  // namespace pipelined
