// The reader of statistics that another program wrote.
#include "plugins/data/feature_facts.h"
#include "plugins/data/statistics_proto.h"
#include "tests/fuzz/targets.h"

namespace pipelined::fuzz {

// What is taken can be judged.
void read_statistics_proto(std::string_view input) {
  const auto json = statistics_of_proto(input, {"", ""});
  if (!json) return CHECK(!json.error().message.empty());
  CHECK(parse_statistics(*json).has_value());
}

}  // namespace pipelined::fuzz
