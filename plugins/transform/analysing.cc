// transform.analyse and transform.fit.
#include <fstream>
#include <iterator>
#include <optional>

#include "model/analysis.h"
#include "plugins/common/examples.h"
#include "plugins/common/transform_rows.h"
#include "plugins/transform/operators.h"
#include "plugins/transform/value_domains.h"

namespace pipelined::transform {
namespace {

using model::Analysis;

std::vector<std::string> folders_at(const sdk::Context& context, const std::string& port) {
  std::vector<std::string> folders;
  for (std::int64_t i = 0; i < context.input_count(port); ++i) {
    folders.push_back(context.input_path(port, i).string());
  }
  return folders;
}

Result<std::string> read_file(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::string bytes(std::istreambuf_iterator<char>(stream), {});
  if (stream) return bytes;
  return Error{ErrorCode::io, "cannot read " + path.filename().string()};
}

Result<std::vector<model::FeatureSpec>> declared(const sdk::Context& context) {
  return model::parse_features(context.param_json("features").value_or("null"));
}

Result<Analysis> analyse(const sdk::Context& context, std::vector<model::FeatureSpec> features) {
  TRY(reader, ExamplesReader::open(folders_at(context, "examples")));
  return analyse_rows(reader, std::move(features), context, true);
}

// All analyses at the port as one.
Result<Analysis> merged(const sdk::Context& context) {
  std::optional<Analysis> whole;
  for (const std::string& folder : folders_at(context, "analyses")) {
    TRY(text, read_file(std::filesystem::path(folder) / "analysis.json"));
    TRY(part, Analysis::parse(text));
    if (!whole) {
      whole = std::move(part);
    } else {
      TRY_VOID(whole->merge(part));
    }
  }
  if (!whole) {
    return Error{ErrorCode::invalid, "transform.fit needs rows at \"examples\" or analyses at "
                                     "\"analyses\""};
  }
  return std::move(*whole);
}

Result<Analysis> gather(const sdk::Context& context) {
  if (context.input_count("examples") > 0) {
    if (context.input_count("analyses") > 0) {
      return Error{ErrorCode::invalid, "transform.fit takes \"examples\" or \"analyses\", not both"};
    }
    TRY(features, declared(context));
    return analyse(context, std::move(features));
  }
  TRY(analysis, merged(context));
  if (!context.param_json("features").value_or("{}").starts_with("{}")) {
    TRY(features, declared(context));
    if (features != analysis.features()) {
      return Error{ErrorCode::invalid, "the parameter \"features\" is not what the analyses were "
                                       "made with; leave it out here or make the analyses anew"};
    }
  }
  return analysis;
}

Result<std::shared_ptr<const model::WordVectors>> read_vectors(const sdk::Context& context) {
  using Shared = std::shared_ptr<const model::WordVectors>;
  if (context.input_count("vectors") == 0) return Shared();
  const auto files = context.input_files("vectors");
  if (files.size() != 1) {
    return Error{ErrorCode::invalid, "input \"vectors\" must be one file of word vectors"};
  }
  TRY(text, read_file(files.front()));
  TRY(vectors, model::WordVectors::parse(text));
  return Shared(std::make_shared<const model::WordVectors>(std::move(vectors)));
}

// Says where the transform and the schema disagree; with domains = "halt" a person decides.
Result<void> compare_with_schema(sdk::Context& context, const model::Transform& transform) {
  if (context.input_count("schema") == 0) return {};
  const auto files = context.input_files("schema");
  if (files.size() != 1) return Error{ErrorCode::invalid, "input \"schema\" must be one file"};
  TRY(text, read_file(files.front()));
  TRY(sentences, domain_differences(transform, text));
  context.metric("domain_differences", static_cast<double>(sentences.size()));
  for (const std::string& sentence : sentences) context.log(sdk::Level::warning, sentence);
  if (sentences.empty() || context.text("domains", "warn") != "halt") return {};
  context.halt("the transform and the schema disagree: " + sentences.front() +
               (sentences.size() > 1
                    ? "; and " + std::to_string(sentences.size() - 1) + " more in the log" : ""));
  return {};
}

}  // namespace

Result<void> transform_analyse(sdk::Context& context) {
  TRY(features, declared(context));
  TRY(analysis, analyse(context, std::move(features)));
  std::ofstream stream(context.output_path("analysis") / "analysis.json", std::ios::binary);
  stream << analysis.json_text();
  if (!stream.flush()) return Error{ErrorCode::io, "cannot write analysis.json"};
  context.metric("rows", static_cast<double>(analysis.facts().front().rows));
  return {};
}

Result<void> transform_fit(sdk::Context& context) {
  TRY(analysis, gather(context));
  TRY(vectors, read_vectors(context));
  TRY(transform, analysis.fit(std::move(vectors)));
  TRY_VOID(transform.save(context.output_path("transform")));
  TRY_VOID(compare_with_schema(context, transform));
  context.metric("rows", static_cast<double>(analysis.facts().front().rows));
  context.metric("outputs", static_cast<double>(transform.outputs().size()));
  for (std::size_t i = 0; i < transform.features().size(); ++i) {
    const model::Fitted& fit = transform.fitted()[i];
    const std::string& name = transform.features()[i].name;
    if (fit.missing == fit.rows) {
      context.log(sdk::Level::warning, "feature \"" + name + "\" has no value in any row");
    }
    context.metric("missing", static_cast<double>(fit.missing), "feature=" + name);
    const int dropped = analysis.facts()[i].values.dropped_bits();
    if (dropped > 0) {
      context.log(sdk::Level::info,
                  "feature \"" + name + "\" has more than " +
                      std::to_string(model::ValueCounts::distinct_max) +
                      " different numbers; its quantiles are exact to " +
                      std::to_string(52 - dropped) + " binary digits");
    }
  }
  return {};
}

}  // namespace pipelined::transform
