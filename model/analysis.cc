#include "model/analysis.h"

#include <algorithm>
#include <cmath>

#include "model/column_values.h"

namespace pipelined::model {
namespace {

bool is_number(ColumnKind kind) {
  return kind == ColumnKind::boolean || kind == ColumnKind::integer || kind == ColumnKind::real;
}

// What is wrong with reading a column of this kind by a method; empty: nothing.
std::string unreadable(const FeatureSpec& spec, ColumnKind kind) {
  switch (spec.method) {
    case Method::number:
    case Method::buckets: return is_number(kind) ? "" : "a number";
    case Method::date_parts:
      return kind == ColumnKind::date || kind == ColumnKind::time || kind == ColumnKind::text
                 ? "" : "a date or time";
    case Method::one_hot:
    case Method::ordinal:
    case Method::hashed:
    case Method::vocabulary:
    case Method::label:
      return kind == ColumnKind::text || kind == ColumnKind::integer || kind == ColumnKind::boolean
                 ? "" : "a category (string, int or bool; cut numbers with \"buckets\")";
    default: return kind == ColumnKind::text ? "" : "a text";
  }
}

}  // namespace

Result<Analysis> Analysis::begin(std::vector<FeatureSpec> features,
                                 std::span<const ColumnInput> columns) {
  Analysis analysis;
  analysis.features_ = std::move(features);
  for (const FeatureSpec& spec : analysis.features_) {
    std::vector<std::size_t> cells;
    std::vector<ColumnInput> own;
    for (const std::string& name : spec.from) {
      const auto named = [&](const ColumnInput& column) { return column.name == name; };
      const auto column = std::find_if(columns.begin(), columns.end(), named);
      if (column == columns.end()) {
        return Error{ErrorCode::invalid, "feature \"" + spec.name + "\" reads column \"" + name +
                                             "\", which the examples do not have"};
      }
      if (const std::string wanted = unreadable(spec, column->kind); !wanted.empty()) {
        return Error{ErrorCode::invalid, "feature \"" + spec.name + "\": " + name_of(spec.method) +
                                             " needs " + wanted + ", and column \"" + name +
                                             "\" is of type " + name_of(column->kind)};
      }
      auto& all = analysis.columns_;
      auto known = std::find_if(all.begin(), all.end(), named);
      if (known == all.end()) known = all.insert(all.end(), *column);
      cells.push_back(static_cast<std::size_t>(known - all.begin()));
      own.push_back(*column);
    }
    analysis.cells_of_.push_back(std::move(cells));
    analysis.columns_of_.push_back(std::move(own));
  }
  analysis.facts_.resize(analysis.features_.size());
  return analysis;
}

Result<void> Analysis::add_row(std::span<const Cell> cells) {
  CHECK(cells.size() == columns_.size());
  std::vector<Cell> own;
  for (std::size_t i = 0; i < features_.size(); ++i) {
    const FeatureSpec& spec = features_[i];
    FeatureFacts& facts = facts_[i];
    ++facts.rows;
    if (spec.measures()) {
      TRY(number, number_of(cells[cells_of_[i].front()], columns_of_[i].front(), spec));
      if (!number) {
        ++facts.missing;
        continue;
      }
      facts.sum.add(*number);
      facts.squares.add_square(*number);
      facts.least = std::min(facts.least, *number);
      facts.most = std::max(facts.most, *number);
      if (spec.counts_numbers()) facts.values.add(*number);
      continue;
    }
    own.clear();
    bool null = false;
    for (const std::size_t at : cells_of_[i]) {
      own.push_back(cells[at]);
      null = null || std::holds_alternative<std::monostate>(cells[at]);
    }
    if (null) {
      ++facts.missing;
    } else if (spec.counts_words()) {
      TRY_VOID(add_words(i, own));
    }
  }
  return {};
}

Result<void> Analysis::add_words(std::size_t feature, std::span<const Cell> cells) {
  FeatureFacts& facts = facts_[feature];
  auto found = words_in(cells, columns_of_[feature], features_[feature]);
  if (!found) return found.error().within("feature \"" + features_[feature].name + "\"");
  std::vector<std::string>& words = *found;
  std::sort(words.begin(), words.end());
  for (std::size_t i = 0; i < words.size(); ++i) {
    WordCount& count = facts.words[words[i]];
    ++count.total;
    if (i == 0 || words[i] != words[i - 1]) ++count.rows;
  }
  if (facts.words.size() <= words_max) return {};
  return Error{ErrorCode::invalid, "feature \"" + features_[feature].name + "\" has more than " +
                                       std::to_string(words_max) +
                                       " different words; use \"hashed\", or fewer n-grams"};
}

Result<void> Analysis::merge(const Analysis& other) {
  if (features_ != other.features_) {
    return Error{ErrorCode::invalid, "two analyses were made with different features; analyse all "
                                     "parts with one declaration"};
  }
  for (std::size_t i = 0; i < features_.size(); ++i) {
    for (std::size_t j = 0; j < columns_of_[i].size(); ++j) {
      ColumnInput& ours = columns_of_[i][j];
      const ColumnInput& theirs = other.columns_of_[i][j];
      if (ours.kind == theirs.kind) continue;
      if (!features_[i].measures()) {
        return Error{ErrorCode::invalid, "column \"" + ours.name + "\" is of type " +
                                             name_of(ours.kind) + " in one part and " +
                                             name_of(theirs.kind) + " in another"};
      }
      ours.kind = ColumnKind::real;
      columns_[cells_of_[i][j]].kind = ColumnKind::real;
    }
    FeatureFacts& facts = facts_[i];
    const FeatureFacts& more = other.facts_[i];
    facts.rows += more.rows;
    facts.missing += more.missing;
    facts.sum.merge(more.sum);
    facts.squares.merge(more.squares);
    facts.least = std::min(facts.least, more.least);
    facts.most = std::max(facts.most, more.most);
    facts.values.merge(more.values);
    for (const auto& [word, count] : more.words) {
      WordCount& own = facts.words[word];
      own.total += count.total;
      own.rows += count.rows;
    }
  }
  return {};
}

}  // namespace pipelined::model
