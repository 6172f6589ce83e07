#include "daemon/exec/plugin_description.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <optional>

#include "daemon/posix/unique_fd.h"

namespace pipelined {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t answer_bytes_max = 4 << 20;
constexpr std::size_t complaint_bytes_max = 4096;

// One child that loads one plugin.  Its whole process group is killed when this goes.
class Child {
 public:
  Child(std::string worker, std::string file)
      : worker_(std::move(worker)), file_(std::move(file)) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    kill_group();
    reap();
  }

  void start();
  // Both pipes, for poll; closed ones are negative and thereby ignored.
  int answer_end() const { return answer_end_.get(); }
  int complaint_end() const { return complaint_end_.get(); }
  void read_answer() { read(answer_end_, answer_, answer_bytes_max, true); }
  void read_complaint() { read(complaint_end_, complaint_, complaint_bytes_max, false); }
  bool open() const { return answer_end_ || complaint_end_; }
  // Waits for the end; what it said, or why not.
  Result<std::string> finish(bool timed_out, std::int64_t timeout_ms);

 private:
  Error refusal(const std::string& why) const {
    return {ErrorCode::invalid, "cannot use plugin " + file_ + ": " + why};
  }
  void read(UniqueFd& end, std::string& text, std::size_t bytes_max, bool fatal);
  void spawn(int answer, int complaint);
  void kill_group() {
    if (pid_ > 0) ::kill(-pid_, SIGKILL);
  }
  void reap() {
    if (pid_ <= 0) return;
    while (::waitpid(pid_, &status_, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
  }

  std::string worker_, file_;
  UniqueFd answer_end_, complaint_end_;
  std::string answer_, complaint_;
  std::optional<Error> failure_;
  pid_t pid_ = 0;
  int status_ = 0;
};

void Child::start() {
  int answer[2], complaint[2];
  if (::pipe2(answer, O_CLOEXEC) != 0) {
    failure_ = Error{ErrorCode::io, std::string("cannot make a pipe: ") + std::strerror(errno)};
    return;
  }
  answer_end_.reset(answer[0]);
  const UniqueFd answer_start(answer[1]);
  if (::pipe2(complaint, O_CLOEXEC) != 0) {
    failure_ = Error{ErrorCode::io, std::string("cannot make a pipe: ") + std::strerror(errno)};
    answer_end_.reset();
    return;
  }
  complaint_end_.reset(complaint[0]);
  const UniqueFd complaint_start(complaint[1]);
  spawn(answer_start.get(), complaint_start.get());
}

void Child::spawn(int answer, int complaint) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, answer, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, complaint, STDERR_FILENO);
  sigset_t all, none;
  sigfillset(&all);
  sigemptyset(&none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
                                            POSIX_SPAWN_SETPGROUP);
  std::string verb = "describe", path = "PATH=/usr/bin:/bin";
  char* words[] = {worker_.data(), verb.data(), file_.data(), nullptr};
  char* environment[] = {path.data(), nullptr};
  const int error =
      ::posix_spawn(&pid_, worker_.c_str(), &actions, &attributes, words, environment);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error == 0) return;
  pid_ = 0;
  answer_end_.reset();
  complaint_end_.reset();
  failure_ = Error{ErrorCode::io, "cannot start " + worker_ + ": " + std::strerror(error)};
}

void Child::read(UniqueFd& end, std::string& text, std::size_t bytes_max, bool fatal) {
  char buffer[16384];
  const ssize_t size = ::read(end.get(), buffer, sizeof buffer);
  if (size < 0 && errno == EINTR) return;
  if (size <= 0) {
    end.reset();
    return;
  }
  const std::size_t room = bytes_max - text.size();
  text.append(buffer, std::min(room, static_cast<std::size_t>(size)));
  if (!fatal || static_cast<std::size_t>(size) <= room) return;
  failure_ = refusal("its description is longer than " + std::to_string(bytes_max) + " bytes");
  kill_group();
  end.reset();
}

Result<std::string> Child::finish(bool timed_out, std::int64_t timeout_ms) {
  if (pid_ > 0 && timed_out) {
    kill_group();
    reap();
    return refusal("it did not finish loading within " + std::to_string(timeout_ms) + " ms");
  }
  reap();
  if (failure_) return *failure_;
  while (!complaint_.empty() && complaint_.back() == '\n') complaint_.pop_back();
  const std::string last_words = complaint_.empty() ? "" : "; it said: " + complaint_;
  if (WIFSIGNALED(status_)) {
    const char* name = ::sigabbrev_np(WTERMSIG(status_));
    return refusal(std::string("it crashed while loading (SIG") + (name ? name : "?") + ")" +
                   last_words);
  }
  if (WEXITSTATUS(status_) == 0 && !answer_.empty()) return answer_;
  // The worker's own refusal is a whole sentence that names the file.
  if (WEXITSTATUS(status_) == 1 && !complaint_.empty()) {
    return Error{ErrorCode::invalid, complaint_};
  }
  return refusal("it ended the worker with exit status " + std::to_string(WEXITSTATUS(status_)) +
                 " while loading" + last_words);
}

// Reads from every child until all pipes are closed or time is up; whether it was.
bool read_all(const std::vector<std::unique_ptr<Child>>& children, Clock::time_point deadline) {
  for (;;) {
    std::vector<pollfd> ends;
    bool open = false;
    for (const auto& child : children) {
      ends.push_back({child->answer_end(), POLLIN, 0});
      ends.push_back({child->complaint_end(), POLLIN, 0});
      open = open || child->open();
    }
    if (!open) return false;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return true;
    if (::poll(ends.data(), ends.size(), static_cast<int>(left.count())) < 0) continue;
    for (std::size_t i = 0; i < children.size(); ++i) {
      if (ends[2 * i].revents) children[i]->read_answer();
      if (ends[2 * i + 1].revents) children[i]->read_complaint();
    }
  }
}

}  // namespace

std::vector<Result<std::string>> describe_plugins(const std::string& worker,
                                                  const std::vector<std::string>& files,
                                                  std::int64_t timeout_ms) {
  std::vector<std::unique_ptr<Child>> children;
  for (const std::string& file : files) {
    children.push_back(std::make_unique<Child>(worker, file));
    children.back()->start();
  }
  read_all(children, Clock::now() + std::chrono::milliseconds(timeout_ms));
  std::vector<Result<std::string>> answers;
  // A child whose pipes are still open ran out of time; the others end at once.
  for (const auto& child : children) answers.push_back(child->finish(child->open(), timeout_ms));
  return answers;
}

}  // namespace pipelined
