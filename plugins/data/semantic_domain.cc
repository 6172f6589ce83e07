#include "plugins/data/semantic_domain.h"

#include <time.h>

#include <array>

namespace pipelined {
namespace {

constexpr std::int64_t values_min = 100;
constexpr double share_min = 0.8;
constexpr int words_min = 3;
constexpr std::size_t texts_looked_at = 512;
constexpr double year_1990 = 631'152'000, year_2030 = 1'893'456'000;

constexpr std::array formats{"%Y-%m-%d",          "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S",
                             "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M",   "%Y/%m/%d",
                             "%Y/%m/%d %H:%M:%S", "%d.%m.%Y",          "%d.%m.%Y %H:%M:%S",
                             "%m/%d/%Y",          "%d/%m/%Y",          "%m/%d/%Y %H:%M:%S",
                             "%d-%b-%Y",          "%b %d, %Y",         "%Y%m%dT%H%M%S",
                             "%H:%M:%S",          "%H:%M",             "%a, %d %b %Y %H:%M:%S"};

bool is_time(const std::string& text, const char* format) {
  tm parsed{};
  const char* end = ::strptime(text.c_str(), format, &parsed);
  return end != nullptr && *end == 0 && end != text.c_str();
}

int words_in(std::string_view text) {
  int words = 0;
  bool inside = false;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\t' || c == '\n';
    words += !blank && !inside;
    inside = !blank;
  }
  return words;
}

}  // namespace

std::optional<Domain> text_domain(const std::vector<std::pair<std::string_view, std::int64_t>>& counts) {
  std::int64_t total = 0, sentences = 0;
  std::array<std::int64_t, formats.size()> matches{};
  for (std::size_t i = 0; i < counts.size() && i < texts_looked_at; ++i) {
    const auto& [text, count] = counts[i];
    total += count;
    if (words_in(text) >= words_min) sentences += count;
    const bool digits = text.find_first_of("0123456789") != std::string_view::npos;
    for (std::size_t f = 0; digits && text.size() <= 40 && f < formats.size(); ++f) {
      if (is_time(std::string(text), formats[f])) matches[f] += count;
    }
  }
  if (total < values_min) return std::nullopt;
  std::size_t best = 0;
  for (std::size_t f = 1; f < formats.size(); ++f) {
    if (matches[f] > matches[best]) best = f;
  }
  const auto share = [&](std::int64_t part) {
    return static_cast<double>(part) / static_cast<double>(total);
  };
  if (share(matches[best]) >= share_min) return Domain{"time", formats[best], share(matches[best])};
  if (share(sentences) >= share_min) return Domain{"natural_language", "", share(sentences)};
  return std::nullopt;
}

std::optional<Domain> unix_time_domain(const std::vector<std::pair<double, std::int64_t>>& values,
                                       std::int64_t count) {
  if (count < values_min) return std::nullopt;
  double scale = 1;
  for (const char* unit : {"unix_seconds", "unix_milliseconds", "unix_microseconds",
                           "unix_nanoseconds"}) {
    std::int64_t inside = 0;
    for (const auto& [value, times] : values) {
      if (value >= year_1990 * scale && value < year_2030 * scale) inside += times;
    }
    const double share = static_cast<double>(inside) / static_cast<double>(count);
    if (share >= share_min) return Domain{"time", unit, share};
    scale *= 1000;
  }
  return std::nullopt;
}

}  // namespace pipelined
