// Validation of small tables in tests: CSV text in, the outcome and anomalies.json out.
#pragma once

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "operators/testing/fake_context.h"
#include "plugins/common/examples.h"
#include "plugins/common/table_source.h"
#include "plugins/data/operators.h"

namespace pipelined::data_tests {

using Json = nlohmann::json;

/// Examples out of CSV text, in a folder of the context's.
inline std::string examples(testing::FakeContext& context, const std::string& name,
                            const std::string& csv) {
  const auto folder = context.folder() / name;
  std::filesystem::create_directories(folder);
  const std::string file = (context.folder() / (name + ".csv")).string();
  REQUIRE(write_text(file, csv));
  auto source = open_table({file}, {});
  REQUIRE(source);
  auto writer = ExamplesWriter::create(folder.string(), (*source)->schema());
  REQUIRE(writer);
  REQUIRE((*source)->read([&](auto batch) { return writer->write(std::move(batch)); },
                          [](const RejectedRow&) { return Result<void>(); }));
  REQUIRE(writer->close());
  return folder.string();
}

/// Statistics of CSV text at the port `name`.
inline Json statistics(testing::FakeContext& context, const std::string& name,
                       const std::string& csv) {
  testing::FakeContext own;
  if (csv.substr(0, csv.find('\n')).find("late") != std::string::npos) {
    own.params(R"({"label":"late"})");
  }
  own.input("examples", "examples/1", examples(own, name, csv)).output("statistics", "statistics/1");
  const auto ended = own.run(run_data_statistics);
  INFO(ended.error);
  REQUIRE(ended.outcome == Outcome::ok);
  const std::string text = own.output_text("statistics", "statistics.json");
  context.input_file(name, "statistics/1", "statistics.json", text);
  return Json::parse(text);
}

/// A table with so many late and punctual flights.
inline std::string labels(int late, int punctual) {
  std::string csv = "late,carrier\n";
  for (int i = 0; i < late; ++i) csv += "true,UA\n";
  for (int i = 0; i < punctual; ++i) csv += i % 2 ? "false,AA\n" : "false,UA\n";
  return csv;
}

struct Validation {
  testing::FakeContext context;

  Validation() {
    context.output("anomalies", "anomalies/1").output("report", "report/1");
    context.output("remedy", "remedy/1");
  }

  /// The table that is judged.
  void table(const std::string& csv) {
    statistics(context, "statistics", csv);
    context.input("examples", "examples/1", examples(context, "table", csv));
  }
  void schema(const std::string& toml) {
    context.input_file("schema", "schema/1", "schema.toml", toml);
  }
  wire::Ended run() { return context.run(run_data_validate); }
  Json anomalies() { return Json::parse(context.output_text("anomalies", "anomalies.json")); }

  /// "anomaly feature" of all anomalies, in order.
  std::vector<std::string> names() {
    std::vector<std::string> all;
    const Json found = anomalies();
    for (const Json& one : found["anomalies"]) {
      const std::string of = one.value("rule", one["feature"].get<std::string>());
      all.push_back(one["anomaly"].get<std::string>() + (of.empty() ? "" : " " + of));
    }
    return all;
  }
};

}  // namespace pipelined::data_tests
