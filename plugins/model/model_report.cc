#include "plugins/model/model_report.h"

#include <fstream>
#include <iterator>

#include "plugins/model/report_parts.h"

namespace pipelined::evaluation {
namespace {

using nlohmann::json;

Result<json> read(const sdk::Context& context, const std::string& port) {
  const std::string name = port + ".json";
  std::ifstream stream(context.input_path(port) / name, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(stream), {});
  json document = json::parse(text, nullptr, false);
  if (stream && document.is_object()) return document;
  return Error{ErrorCode::invalid, "input \"" + port + "\" has no " + name + " that can be read"};
}

}  // namespace

Result<void> model_report(sdk::Context& context) {
  TRY(evaluation, read(context, "evaluation"));
  try {
    HtmlReport report(context.text("title", "How good the model is"),
                      evaluation.at("label").get<std::string>() + " · " +
                          evaluation.at("objective").get<std::string>());
    add_evaluation(evaluation, report);
    if (context.input_count("explanation") > 0) {
      TRY(explanation, read(context, "explanation"));
      add_explanation(explanation, report);
    }
    std::ofstream stream(context.output_path("report") / "report.html", std::ios::binary);
    stream << report.text();
    if (!stream.flush()) return Error{ErrorCode::io, "cannot write report.html"};
    return {};
  } catch (const json::exception& thrown) {
    return Error{ErrorCode::invalid, std::string("an input is not of its format: ") + thrown.what()};
  }
}

}  // namespace pipelined::evaluation
