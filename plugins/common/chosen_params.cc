#include "plugins/common/chosen_params.h"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace pipelined {
namespace {

using nlohmann::json;

Result<json> chosen_in(const std::filesystem::path& folder) {
  std::ifstream stream(folder / "tuning.json", std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  const json document = json::parse(text, nullptr, false);
  if (!document.is_object() || !document.contains("chosen") || !document["chosen"].is_object()) {
    return Error{ErrorCode::invalid, "input \"tuning\" has no tuning.json with chosen values; it "
                                     "takes what tune.search writes"};
  }
  return document["chosen"];
}

std::string listed(std::initializer_list<std::string> names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

Result<ChosenParams> ChosenParams::read(const sdk::Context& context,
                                        std::initializer_list<std::string> tunable) {
  ChosenParams params(context);
  if (context.input_count("tuning") == 0) {
    if (context.keys("tuned").empty()) return params;
    return Error{ErrorCode::invalid, "parameter \"tuned\" says what to take from a search, and "
                                     "nothing is at input \"tuning\""};
  }
  TRY(values, chosen_in(context.input_path("tuning")));
  const auto takes = [&](const std::string& name) {
    return std::find(tunable.begin(), tunable.end(), name) != tunable.end();
  };
  for (const std::string& name : context.keys("tuned")) {
    const std::string from = context.text("tuned." + name);
    if (!takes(name)) {
      return Error{ErrorCode::invalid, "parameter \"tuned." + name + "\" is none that is taken from "
                                       "a search; those are " + listed(tunable)};
    }
    if (!values.contains(from)) {
      return Error{ErrorCode::invalid, "parameter \"tuned." + name + "\" asks for \"" + from +
                                       "\", which the search did not choose"};
    }
    params.chosen_[name] = values[from];
  }
  if (!params.chosen_.empty()) return params;
  for (const auto& [name, value] : values.items()) {
    if (!takes(name)) {
      return Error{ErrorCode::invalid, "the search chose \"" + name + "\", which is none of " +
                                       listed(tunable) + "; say which values to take: tuned = "
                                       "{ max_depth = \"depth\" }"};
    }
    params.chosen_[name] = value;
  }
  return params;
}

std::string ChosenParams::text(const std::string& name, const std::string& fallback) const {
  const auto value = chosen_.find(name);
  if (value == chosen_.end()) return context_->text(name, fallback);
  if (value->is_string()) return value->get<std::string>();
  throw sdk::ParameterError("the search chose no string for \"" + name + "\"");
}

std::int64_t ChosenParams::integer(const std::string& name, std::int64_t fallback) const {
  const auto value = chosen_.find(name);
  if (value == chosen_.end()) return context_->integer(name, fallback);
  if (value->is_number_integer()) return value->get<std::int64_t>();
  throw sdk::ParameterError("the search chose no whole number for \"" + name + "\"");
}

double ChosenParams::number(const std::string& name, double fallback) const {
  const auto value = chosen_.find(name);
  if (value == chosen_.end()) return context_->number(name, fallback);
  if (value->is_number()) return value->get<double>();
  throw sdk::ParameterError("the search chose no number for \"" + name + "\"");
}

}  // namespace pipelined
