// What the verbs of the registry write of a version: the differences, the card, MLflow's description.
#include "cli/commands/models.h"

#include <catch2/catch.hpp>

#include "operators/value_json.h"

using namespace pipelined;
using namespace pipelined::cli;

namespace {

protocol::ModelVersionInfo version(const std::string& number, const std::string& facts) {
  protocol::ModelVersionInfo info;
  info.model = "late";
  info.version = number;
  info.pipeline = "flights";
  info.run = 7;
  info.reason.sentence = "the first version of late";
  const auto value = value_from_json(facts);
  REQUIRE(value);
  info.facts = *value->as_table();
  return info;
}

using Told = std::vector<std::string>;

// "topic name: before -> after", in order.
Told told(const std::string& before, const std::string& after) {
  Told lines;
  for (const ModelDifference& one : compare_versions(version("1.0.0", before), version("1.0.1", after))) {
    lines.push_back(one.topic + " " + one.name + ": " + one.before + " -> " + one.after);
  }
  return lines;
}

}  // namespace

TEST_CASE("model diff: metrics of all rows and of slices, side by side", "[cli][model]") {
  CHECK(told(R"({"metrics":[{"name":"auc","value":0.75},{"name":"auc","slice":"sex=f","value":0.5}]})",
             R"({"metrics":[{"name":"auc","value":0.8},{"name":"auc","slice":"sex=f","value":0.5}]})") ==
        Told{"metric auc: 0.75 -> 0.8"});
  CHECK(told(R"({"metrics":[{"name":"auc","slice":"sex=f","value":0.5}]})", R"({"metrics":[]})") ==
        Told{"metric auc sex=f: 0.5 -> "});
}

TEST_CASE("model diff: what features count for, side by side", "[cli][model]") {
  CHECK(told(R"({"importance":{"hour":0.5,"wind":0.25}})",
             R"({"importance":{"hour":0.625,"wind":0.25,"rain":0.125}})") ==
        Told{"importance hour: 0.5 -> 0.625", "importance rain:  -> 0.125"});
}

TEST_CASE("model diff: a parameter that only one version names has its default in the other",
          "[cli][model]") {
  const std::string plain = R"({"recipe":{"train operator":"t 1"},"defaults":{"train params.depth":"6"}})";
  CHECK(told(plain, R"({"recipe":{"train operator":"t 1","train params.depth":"8"},)"
                    R"("defaults":{"train params.depth":"6"}})") ==
        Told{"recipe train params.depth: 6 -> 8"});
  CHECK(told(plain, R"({"recipe":{"train operator":"t 1","train params.depth":"6"},)"
                    R"("defaults":{"train params.depth":"6"}})").empty());
}

TEST_CASE("model diff: inputs with what was seen of them", "[cli][model]") {
  CHECK(told(R"({"inputs":[{"name":"hour","type":"int","range":[0.0,23.0]}]})",
             R"({"inputs":[{"name":"hour","type":"int","range":[0.0,22.0],"closed":true}]})") ==
        Told{"signature input hour: int, 0 to 23 -> int, 0 to 22, no others"});
}

TEST_CASE("model card: what a version says of itself, with nothing that a browser would run",
          "[cli][model]") {
  auto info = version("1.2.0", R"({"notes":"for <b>winter</b>","architecture":"trees",
      "metrics":[{"name":"auc","value":0.75},{"name":"auc","slice":"sex=f","value":0.5},
                 {"name":"f1","value":0.25}],
      "importance":{"hour":0.5,"wind":0.25},
      "blessing":{"blessed":false,"sentence":"1 of 2 failed","reasons":
        [{"passed":false,"sentence":"auc of sex=f is 0.5, below 0.6"}]},
      "approvals":[{"who":"ann","why":"looks good","at":0}]})");
  info.artifacts.push_back({"model", std::string(64, 'a'), "model/1"});
  const std::string page = model_card_html(info);
  for (const char* part : {"<h1>late 1.2.0</h1>", "for &lt;b&gt;winter&lt;/b&gt;", "ann", "looks good",
                           "sex=f", "0.75", "auc of sex=f is 0.5, below 0.6", "Feature importance",
                           "Not blessed"}) {
    INFO(part);
    CHECK(page.find(part) != std::string::npos);
  }
  for (const char* part : {"<b>winter", "<script", "http:", "https:", "src="}) {
    CHECK(page.find(part) == std::string::npos);
  }
}

TEST_CASE("MLflow: the description names the loader, and the signature where it is known",
          "[cli][model]") {
  auto info = version("1.2.0", R"({"inputs":[{"name":"it's","type":"string"},
      {"name":"wind","type":"float","optional":true},{"name":"hour","type":"int"},
      {"name":"day","type":"date"}],
      "outputs":[{"name":"kind","type":"probabilities","values":["a","b"]}]})");
  info.artifacts.push_back({"model", "cafe", "model/1"});
  const std::string text = mlflow_description(&info);
  CHECK_THAT(text, Catch::Contains("    loader_module: pipelined_mlflow\n"));
  CHECK_THAT(text, Catch::Contains("  pipelined_version: '1.2.0'\n  pipelined_sha256: 'cafe'\n"));
  CHECK_THAT(text, Catch::Contains(R"("name":"it''s","required":true,"type":"string")"));
  CHECK_THAT(text, Catch::Contains(R"("name":"wind","required":false,"type":"double")"));
  CHECK_THAT(text, Catch::Contains(R"("name":"hour","required":true,"type":"any")"));
  CHECK_THAT(text, Catch::Contains(R"("name":"day","required":true,"type":"datetime")"));
  CHECK_THAT(text, Catch::Contains(R"("name":"b","required":true,"type":"float")"));
  CHECK(mlflow_description(nullptr).find("signature") == std::string::npos);
}
