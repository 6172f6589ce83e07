// What a step says of a model that it wants registered.
#include "plugins/model/registration.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace pipelined;
using namespace pipelined::evaluation;
using nlohmann::json;

namespace {

json some_model() {
  return {{"kind", "trees"},
          {"trees", "model.ubj"},
          {"objective", "binary:logistic"},
          {"label", {{"name", "late"}, {"type", "bool"}}},
          {"signature",
           {{{"name", "humid"}, {"type", "float"}},
            {{"name", "carrier"}, {"type", "string"}, {"categories", {"AA", "UA"}}}}},
          {"training",
           {{"operator", "train.trees"},
            {"parameters", {{"max_depth", "6"}, {"seed", "7"}, {"base_score", "0.5"}}},
            {"rounds", 100},
            {"rows", 12}}}};
}

json said(const json& model, const std::optional<std::string>& evaluation = {},
          const RegistrationWish& wish = {"late", "", {}, ""}) {
  const auto text = registration_json(wish, model.dump(), {evaluation, {}});
  INFO((text ? "" : text.error().message));
  REQUIRE(text);
  return json::parse(*text);
}

std::string refused(const std::string& model, const std::optional<std::string>& evaluation = {}) {
  const auto text = registration_json({"late", "", {}, ""}, model, {evaluation, {}});
  REQUIRE_FALSE(text);
  return text.error().message;
}

}  // namespace

TEST_CASE("registration: the signature is what callers send and get", "[register]") {
  const json request = said(some_model());
  CHECK(request["model"] == "late");
  CHECK(request["inputs"] ==
        json::parse(R"([{"name": "humid", "type": "float"},
                        {"name": "carrier", "type": "string", "values": ["AA", "UA"]}])"));
  CHECK(request["outputs"] == json::parse(R"([{"name": "late", "type": "probability"}])"));
  CHECK(request["architecture"] == "trees binary:logistic");
  CHECK(request["label"] == "late");
}

TEST_CASE("registration: behind a transform callers send what goes into it", "[register]") {
  json model = some_model();
  model["transform"] = "transform.json";
  model["inputs"] = {{{"name", "sent_at"}, {"type", "timestamp"}}};
  const json request = said(model);
  CHECK(request["inputs"] == json::parse(R"([{"name": "sent_at", "type": "timestamp"}])"));
  CHECK(request["architecture"] == "trees binary:logistic behind a transform");
}

TEST_CASE("registration: what training saw of an input is part of the signature", "[register]") {
  json model = some_model();
  model["domains"] = json::parse(R"([{"name": "carrier", "closed": true},
                                     {"name": "humid", "optional": true, "range": [0.5, 99.0]}])");
  CHECK(said(model)["inputs"] ==
        json::parse(R"([{"name": "humid", "type": "float", "optional": true, "range": [0.5, 99.0]},
                        {"name": "carrier", "type": "string", "values": ["AA", "UA"],
                         "closed": true}])"));
}

TEST_CASE("registration: classes and values come out as what they are", "[register]") {
  json model = some_model();
  model["objective"] = "multi:softprob";
  model["label"]["classes"] = {"early", "late"};
  CHECK(said(model)["outputs"][0] ==
        json::parse(R"({"name": "late", "type": "probabilities", "values": ["early", "late"]})"));
  model["objective"] = "reg:squarederror";
  CHECK(said(model)["outputs"][0] == json::parse(R"({"name": "late", "type": "value"})"));
}

TEST_CASE("registration: hyperparameters are those that people choose", "[register]") {
  const json request = said(some_model());
  CHECK(request["hyperparameters"] == json::parse(R"({"max_depth": "6", "rounds": "100"})"));
  CHECK(request["training"]["rows"] == 12);
}

TEST_CASE("registration: the blessing of the evaluation goes with it", "[register]") {
  const std::string evaluation = R"({"blessing": {"blessed": false, "sentence": "auc is low"}})";
  CHECK(said(some_model(), evaluation)["blessing"]["sentence"] == "auc is low");
  CHECK_FALSE(said(some_model(), "{}").contains("blessing"));
  CHECK_FALSE(said(some_model()).contains("blessing"));
}

TEST_CASE("registration: what features count for goes with it", "[register]") {
  const std::string explanation = R"({"importance": [
      {"feature": "hour", "shap": 0.5, "permutation": null}, {"feature": "wind", "shap": 0.25},
      {"feature": "odd", "shap": null}, "none"]})";
  const auto text = registration_json({"late", "", {}, ""}, some_model().dump(), {{}, explanation});
  REQUIRE(text);
  CHECK(json::parse(*text)["importance"] == json::parse(R"({"hour": 0.5, "wind": 0.25})"));
  CHECK_FALSE(said(some_model()).contains("importance"));
  const auto none = registration_json({"late", "", {}, ""}, some_model().dump(), {{}, "[]"});
  REQUIRE_FALSE(none);
  CHECK(none.error().message == "cannot register: explanation.json is no JSON object");
}

TEST_CASE("registration: wishes are said only if there are any", "[register]") {
  CHECK_FALSE(said(some_model()).contains("at_least"));
  const json request = said(some_model(), {}, {"late", "2.0.0", {"candidate"}, "for winter"});
  CHECK(request["at_least"] == "2.0.0");
  CHECK(request["aliases"] == json::array({"candidate"}));
  CHECK(request["notes"] == "for winter");
}

TEST_CASE("registration: what is no model or no evaluation is refused with what is missing",
          "[register]") {
  CHECK(refused("not json") == "cannot register: model.json is no JSON object");
  CHECK_THAT(refused("{}"), Catch::Contains("model.json lacks what a signature is made of"));
  json model = some_model();
  model.erase("label");
  CHECK_THAT(refused(model.dump()), Catch::Contains("label"));
  CHECK(refused(some_model().dump(), "[]") == "cannot register: evaluation.json is no JSON object");
}
