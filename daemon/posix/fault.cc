#include "daemon/posix/fault.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

namespace pipelined::fault {
namespace {

struct Known {
  const char* name;
  bool call;
  const char* sentence;
};

constexpr Known known[] = {
#define PIPELINED_FAULT_ROW(enumerator, name, call, sentence) {name, call, sentence},
    PIPELINED_FAULT_PLACES(PIPELINED_FAULT_ROW)
#undef PIPELINED_FAULT_ROW
};
constexpr std::size_t known_count = std::size(known);

enum class Action { kill, error, half, pretend, lose, tear };

struct Planned {
  std::optional<Place> place;  ///< none: any
  Action action = Action::kill;
  int error = 0;
  std::int64_t from = 1;
  bool lasting = false;
  std::int64_t seen = 0;
};

/// Made once by `arm`, never freed: threads may visit until the process ends.
struct Plan {
  std::mutex mutex;
  std::vector<Planned> planned;
  std::array<bool, known_count> visited{};
  int hits = -1;
  std::uint64_t seed = 0;
  bool cuts = false;
  std::vector<std::function<void(bool, std::uint64_t)>> damages;
};
Plan* plan = nullptr;

[[noreturn]] void die() {
  ::kill(::getpid(), SIGKILL);
  for (;;) ::pause();
}

void note(Place place) {
  const auto index = static_cast<std::size_t>(place);
  if (std::exchange(plan->visited[index], true) || plan->hits < 0) return;
  const std::string line = std::string(known[index].name) + "\n";
  if (::write(plan->hits, line.data(), line.size()) < 0) return;
}

std::optional<std::pair<Action, int>> action_of(std::string_view word) {
  if (word == "kill") return std::pair(Action::kill, 0);
  if (word == "eio") return std::pair(Action::error, EIO);
  if (word == "enospc") return std::pair(Action::error, ENOSPC);
  if (word == "half") return std::pair(Action::half, 0);
  if (word == "pretend") return std::pair(Action::pretend, 0);
  if (word == "lose") return std::pair(Action::lose, 0);
  if (word == "tear") return std::pair(Action::tear, 0);
  return std::nullopt;
}

Error not_understood(const std::string& part, const char* why) {
  return {ErrorCode::invalid, "PIPELINED_FAULT: \"" + part + "\" " + why +
                                  "; it is PLACE:ACTION[:N[+]], --list-failpoints names the places"};
}

Result<Planned> parse(const std::string& part) {
  Planned planned;
  const std::size_t colon = part.find(':');
  if (colon == std::string::npos) return not_understood(part, "has no action");
  const std::string place = part.substr(0, colon);
  for (std::size_t i = 0; i < known_count; ++i) {
    if (place == known[i].name) planned.place = static_cast<Place>(i);
  }
  if (!planned.place && place != "*") return not_understood(part, "names no failpoint");
  const std::size_t next = part.find(':', colon + 1);
  const auto action = action_of(std::string_view(part).substr(
      colon + 1, next == std::string::npos ? std::string::npos : next - colon - 1));
  if (!action) return not_understood(part, "has an unknown action");
  std::tie(planned.action, planned.error) = *action;
  if (next == std::string::npos) return planned;
  std::string_view number = std::string_view(part).substr(next + 1);
  planned.lasting = number.ends_with('+');
  if (planned.lasting) number.remove_suffix(1);
  const auto [end, error] =
      std::from_chars(number.data(), number.data() + number.size(), planned.from);
  if (error != std::errc{} || end != number.data() + number.size() || planned.from < 1) {
    return not_understood(part, "has no number of a visit");
  }
  return planned;
}

}  // namespace

int visit(Place place) {
  const std::lock_guard lock(plan->mutex);
  note(place);
  for (Planned& planned : plan->planned) {
    if (planned.place && *planned.place != place) continue;
    if (++planned.seen < planned.from) continue;
    if (planned.seen > planned.from && !planned.lasting) continue;
    switch (planned.action) {
      case Action::kill: die();
      case Action::lose:
      case Action::tear:
        for (const auto& damage : plan->damages) damage(planned.action == Action::tear, plan->seed);
        die();
      case Action::error: return known[static_cast<std::size_t>(place)].call ? planned.error : 0;
      case Action::half: return half;
      case Action::pretend: return pretend;
    }
  }
  return 0;
}

Result<void> arm(const std::string& text, const std::string& hits, std::uint64_t seed) {
  auto made = std::make_unique<Plan>();
  made->seed = seed;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    TRY(planned, parse(text.substr(at, comma - at)));
    made->cuts = made->cuts || planned.action == Action::lose || planned.action == Action::tear;
    made->planned.push_back(planned);
    at = comma + 1;
  }
  if (!hits.empty()) {
    made->hits = ::open(hits.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (made->hits < 0) {
      return Error{ErrorCode::io, "writing the failpoints that are hit to " + hits + ": " +
                                      std::strerror(errno)};
    }
  }
  CHECK(plan == nullptr);
  plan = made.release();
  armed.store(true);
  return {};
}

std::string list() {
  std::string text;
  for (const Known& place : known) {
    std::string line = place.name;
    line.resize(std::max<std::size_t>(line.size() + 1, 22), ' ');
    text += line + (place.call ? "call    " : "moment  ") + place.sentence + "\n";
  }
  return text;
}

bool remembers_unsynced() { return plan != nullptr && plan->cuts; }

void on_power_cut(std::function<void(bool, std::uint64_t)> damage) {
  if (plan == nullptr) return;
  const std::lock_guard lock(plan->mutex);
  plan->damages.push_back(std::move(damage));
}

}  // namespace pipelined::fault
