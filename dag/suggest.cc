#include "dag/suggest.h"

#include <algorithm>
#include <cmath>

#include "dag/explain.h"

namespace pipelined {
namespace {

constexpr std::int64_t mebi = std::int64_t{1} << 20, gibi = std::int64_t{1} << 30;

std::int64_t fitting_bytes(std::int64_t peak_bytes) {
  const std::int64_t with_room = peak_bytes + peak_bytes / 4;
  const std::int64_t unit = with_room >= gibi ? gibi / 4 : 64 * mebi;
  return std::max<std::int64_t>(1, (with_room + unit - 1) / unit) * unit;
}

std::string size_word(std::int64_t bytes) {
  return bytes % gibi == 0 ? std::to_string(bytes / gibi) + "GiB"
                           : std::to_string(bytes / mebi) + "MiB";
}

std::string over(const StepUse& use) {
  return " over " + std::to_string(use.attempts) + (use.attempts == 1 ? " attempt" : " attempts");
}

std::string times(std::int64_t count) {
  return count == 1 ? "once" : std::to_string(count) + " times";
}

/// The sentence for a resource that has a peak and a limit.
std::string of_bytes(const StepUse& use, const std::string& key, const std::string& what,
                     std::int64_t peak, std::int64_t exhausted, std::int64_t asked) {
  if (exhausted > 0 && asked > 0) {
    return "ran out of " + what + " " + times(exhausted) + " at " + spoken_size(asked) + "; " + key +
           " = \"" + size_word(fitting_bytes(asked * 3 / 2)) + "\" is the next to try";
  }
  if (peak <= 0) return "";
  const std::int64_t fits = fitting_bytes(peak);
  const std::string found = "peak " + spoken_size(peak) + over(use) + "; ";
  if (asked == 0) return found + key + " = \"" + size_word(fits) + "\" would fit";
  if (asked < fits) {
    return found + key + " = \"" + size_word(asked) + "\" is narrow, \"" + size_word(fits) +
           "\" would leave room";
  }
  if (asked > 2 * fits) {
    return found + key + " = \"" + size_word(fits) + "\" would fit, it asks for \"" +
           size_word(asked) + "\"";
  }
  return found + key + " = \"" + size_word(asked) + "\" fits";
}

}  // namespace

std::string fitting_size(std::int64_t peak_bytes) { return size_word(fitting_bytes(peak_bytes)); }

std::vector<std::string> suggest_resources(const StepUse& use, const ResourceSpec& asked) {
  std::vector<std::string> sentences;
  if (use.attempts == 0) return sentences;
  const auto add = [&sentences](std::string sentence) {
    if (!sentence.empty()) sentences.push_back(std::move(sentence));
  };
  add(of_bytes(use, "memory", "memory", use.memory_peak_bytes, use.out_of_memory,
               asked.memory_bytes));
  add(of_bytes(use, "scratch", "scratch space", use.scratch_peak_bytes, use.out_of_scratch,
               asked.scratch_bytes));
  const double whole = std::max(1.0, std::ceil(use.cpus_most - 0.1));
  if (use.cpus_most > 0 && asked.cpus >= whole + 1) {
    add("kept at most " + std::to_string(static_cast<std::int64_t>(whole)) +
        (whole > 1 ? " processors busy" : " processor busy") + over(use) + "; cpus = " +
        std::to_string(static_cast<std::int64_t>(whole)) + " would do");
  }
  return sentences;
}

}  // namespace pipelined
