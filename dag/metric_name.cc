#include "dag/metric_name.h"

namespace pipelined {

MetricName MetricName::parse(std::string_view text) {
  const std::size_t open = text.find('[');
  if (open == std::string_view::npos || text.back() != ']') return {std::string(text), ""};
  return {std::string(text.substr(0, open)), std::string(text.substr(open + 1, text.size() - open - 2))};
}

std::vector<std::string> split_names(std::string_view text) {
  std::vector<std::string> names;
  std::string name;
  bool bracketed = false;
  const auto end_name = [&] {
    if (!name.empty()) names.push_back(std::move(name));
    name.clear();
  };
  for (const char c : text) {
    if (c == '[' || c == ']') bracketed = c == '[';
    if (c == ',' && !bracketed) {
      end_name();
    } else {
      name += c;
    }
  }
  end_name();
  return names;
}

}  // namespace pipelined
