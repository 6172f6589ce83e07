#include "plugins/transform/value_domains.h"

#include <algorithm>
#include <optional>
#include <set>
#include <toml++/toml.h>

namespace pipelined::transform {
namespace {

using model::ColumnInput;
using model::FeatureSpec;
using model::Method;

constexpr std::size_t words_named_max = 5;

// What the schema says about one column.
struct Allowed {
  std::string type;
  std::optional<std::set<std::string>> domain;
};

std::optional<Allowed> allowed_in(const toml::table& schema, const std::string& column) {
  const toml::node_view<const toml::node> entry = schema["feature"][column];
  if (!entry.is_table()) return std::nullopt;
  Allowed allowed;
  allowed.type = entry["type"].value_or(std::string());
  const toml::array* words = entry["domain"].as_array();
  if (!words) return allowed;
  allowed.domain.emplace();
  for (const toml::node& word : *words) {
    if (const auto text = word.value<std::string>()) allowed.domain->insert(*text);
    if (word.is_integer()) allowed.domain->insert(std::to_string(word.as_integer()->get()));
  }
  return allowed;
}

// "3 values (a, b, c)".
std::string listed(const std::vector<std::string>& words) {
  std::string text = std::to_string(words.size()) + (words.size() == 1 ? " value (" : " values (");
  for (std::size_t i = 0; i < std::min(words.size(), words_named_max); ++i) {
    text += (i > 0 ? ", " : "") + words[i];
  }
  return text + (words.size() > words_named_max ? ", …)" : ")");
}

// Whether the feature has a place for each word of one column.
bool relies_on_words(const FeatureSpec& spec) {
  const bool method = spec.method == Method::one_hot || spec.method == Method::ordinal ||
                      spec.method == Method::vocabulary || spec.method == Method::label;
  return method && spec.from.size() == 1;
}

void compare_words(const FeatureSpec& spec, const std::vector<std::string>& words,
                   const std::set<std::string>& domain, std::vector<std::string>& sentences) {
  const std::set<std::string> known(words.begin(), words.end());
  std::vector<std::string> gone, unseen;
  std::set_difference(known.begin(), known.end(), domain.begin(), domain.end(),
                      std::back_inserter(gone));
  std::set_difference(domain.begin(), domain.end(), known.begin(), known.end(),
                      std::back_inserter(unseen));
  const std::string start = "feature \"" + spec.name + "\" ";
  if (!gone.empty()) {
    sentences.push_back(start + "has a place for " + listed(gone) +
                        ", which the schema does not allow in column \"" + spec.from.front() + "\"");
  }
  // Where only some words are wanted, the others are left out on purpose.
  if (!unseen.empty() && spec.top_k == 0 && spec.min_frequency == 1) {
    sentences.push_back(start + "has no place for " + listed(unseen) +
                        ", which the schema allows in column \"" + spec.from.front() + "\"");
  }
}

const ColumnInput* column_of(const model::Transform& transform, const std::string& name) {
  for (const auto* columns : {&transform.inputs(), &transform.label_inputs()}) {
    for (const ColumnInput& column : *columns) {
      if (column.name == name) return &column;
    }
  }
  return nullptr;
}

}  // namespace

Result<std::vector<std::string>> domain_differences(const model::Transform& transform,
                                                    std::string_view schema_toml) {
  toml::table schema;
  try {
    schema = toml::parse(schema_toml);
  } catch (const toml::parse_error& thrown) {
    return Error{ErrorCode::invalid,
                 "cannot read the schema: line " + std::to_string(thrown.source().begin.line) +
                     ": " + std::string(thrown.description())};
  }
  std::vector<std::string> sentences;
  for (std::size_t i = 0; i < transform.features().size(); ++i) {
    const FeatureSpec& spec = transform.features()[i];
    for (const std::string& name : spec.from) {
      const auto allowed = allowed_in(schema, name);
      const ColumnInput* column = column_of(transform, name);
      if (!allowed) {
        sentences.push_back("feature \"" + spec.name + "\" reads column \"" + name +
                            "\", which the schema does not have");
        continue;
      }
      const bool number = allowed->type == "float" && column->kind == model::ColumnKind::integer;
      if (!allowed->type.empty() && allowed->type != name_of(column->kind) && !number) {
        sentences.push_back("feature \"" + spec.name + "\" reads column \"" + name + "\" as " +
                            name_of(column->kind) + ", and the schema says " + allowed->type);
      }
      if (relies_on_words(spec) && allowed->domain) {
        compare_words(spec, transform.fitted()[i].words, *allowed->domain, sentences);
      }
    }
  }
  return sentences;
}

}  // namespace pipelined::transform
