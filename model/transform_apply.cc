// Transform::apply_row, a method at a time.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "model/calendar.h"
#include "model/column_values.h"
#include "model/transform.h"

namespace pipelined::model {
namespace {

// The number of a part, where its circle begins and how many steps it has.
struct Part {
  std::int64_t value = 0, first = 0, steps = 1;
};

Part part_of(const Moment& moment, const std::string& name) {
  if (name == "year") return {moment.year, 0, 1};
  if (name == "month") return {moment.month, 1, 12};
  if (name == "day") return {moment.day, 1, 31};
  if (name == "weekday") return {moment.weekday, 0, 7};
  if (name == "hour") return {moment.hour, 0, 24};
  if (name == "minute") return {moment.minute, 0, 60};
  if (name == "second") return {moment.second, 0, 60};
  return {moment.day_of_year, 1, 366};
}

std::int64_t text_part(std::string_view text, const std::string& part, std::int64_t least) {
  if (part == "characters") return static_cast<std::int64_t>(characters_of(text).size());
  if (part == "words") return static_cast<std::int64_t>(words_of(text, least).size());
  const auto within = [](char letter, char first, char last) {
    return letter >= first && letter <= last;
  };
  return std::count_if(text.begin(), text.end(), [&](char letter) {
    const bool digit = within(letter, '0', '9');
    const bool capital = within(letter, 'A', 'Z');
    if (part == "digits") return digit;
    if (part == "capitals") return capital;
    return within(letter, '!', '~') && !digit && !capital && !within(letter, 'a', 'z');
  });
}

}  // namespace

/// One feature of one row.
class FeatureApplier {
 public:
  FeatureApplier(const Transform& transform, std::size_t feature, std::span<const Cell> cells,
                 std::vector<Entry>& row)
      : spec_(transform.features_[feature]), fit_(transform.fitted_[feature]),
        place_(transform.places_[feature]), vectors_(transform.vectors_.get()), row_(row) {
    for (const std::size_t at : place_.cells) cells_.push_back(cells[at]);
  }

  Result<void> apply() {
    switch (spec_.method) {
      case Method::number: return number();
      case Method::buckets: return bucket();
      case Method::one_hot: return one_hot();
      case Method::multi_hot: return multi_hot();
      case Method::ordinal:
      case Method::hashed:
      case Method::vocabulary: return index();
      case Method::date_parts: return date_parts();
      case Method::characters:
      case Method::tokens: return sequence();
      case Method::counts:
      case Method::tfidf: return bag();
      case Method::vectors: return mean_vector();
      case Method::text_counts: return text_counts();
      case Method::label: return {};
    }
    return {};
  }

 private:
  void put(std::size_t offset, double value) {
    if (value == 0) return;
    row_.push_back({place_.first + static_cast<std::uint32_t>(offset), value});
  }

  Result<void> number() {
    TRY(value, number_of(cells_.front(), place_.columns.front(), spec_));
    put(0, (value.value_or(fit_.fill) - fit_.center) / fit_.scale);
    if (spec_.indicator) put(1, value ? 0 : 1);
    return {};
  }

  Result<void> bucket() {
    TRY(value, number_of(cells_.front(), place_.columns.front(), spec_));
    if (value) {
      const auto above = std::upper_bound(fit_.boundaries.begin(), fit_.boundaries.end(), *value);
      put(0, static_cast<double>(above - fit_.boundaries.begin()));
    } else {
      put(0, spec_.missing ? static_cast<double>(fit_.boundaries.size() + 1)
                           : Fitted::missing_value);
    }
    return {};
  }

  Result<void> one_hot() {
    TRY(word, cross_of(cells_, place_.columns));
    const std::size_t words = fit_.words.size();
    if (!word) {
      if (spec_.missing) put(words + (spec_.other ? 1 : 0), 1);
      return {};
    }
    const std::size_t at = place_.index.find(*word);
    if (at != WordIndex::none) {
      put(at, 1);
    } else if (spec_.other) {
      put(words, 1);
    }
    return {};
  }

  Result<void> multi_hot() {
    TRY(positions, known_positions());
    positions.erase(std::unique(positions.begin(), positions.end()), positions.end());
    for (const std::size_t at : positions) put(at, 1);
    if (spec_.other && unknown_ > 0) put(fit_.words.size(), 1);
    return {};
  }

  Result<void> index() {
    TRY(word, cross_of(cells_, place_.columns));
    if (!word) {
      if (!spec_.spread) put(0, Fitted::missing_value);
      return {};
    }
    if (spec_.method == Method::hashed) {
      const auto bucket = murmur_hash(*word) % static_cast<std::uint64_t>(spec_.buckets);
      put(spec_.spread ? bucket : 0, spec_.spread ? 1 : static_cast<double>(bucket));
      return {};
    }
    const std::size_t at = place_.index.find(*word);
    if (at != WordIndex::none) {
      put(0, static_cast<double>(at));
    } else if (spec_.method == Method::vocabulary && spec_.oov_buckets > 0) {
      const auto bucket = murmur_hash(*word) % static_cast<std::uint64_t>(spec_.oov_buckets);
      put(0, static_cast<double>(fit_.words.size() + bucket));
    } else {
      put(0, Fitted::missing_value);
    }
    return {};
  }

  Result<void> date_parts() {
    TRY(micro, moment_of_cell(cells_.front(), place_.columns.front()));
    const Moment moment = micro ? moment_of(*micro) : Moment();
    std::size_t at = 0;
    for (const std::string& name : spec_.parts) {
      const Part part = part_of(moment, name);
      const bool circle = spec_.cycle && name != "year";
      if (!circle) {
        put(at++, micro ? static_cast<double>(part.value) : Fitted::missing_value);
        continue;
      }
      const double turn = 2 * std::numbers::pi * static_cast<double>(part.value - part.first) /
                          static_cast<double>(part.steps);
      put(at++, micro ? std::sin(turn) : Fitted::missing_value);
      put(at++, micro ? std::cos(turn) : Fitted::missing_value);
    }
    return {};
  }

  Result<void> sequence() {
    TRY(words, words_in(cells_, place_.columns, spec_));
    const std::size_t count = std::min(words.size(), static_cast<std::size_t>(spec_.length));
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t at = place_.index.find(words[i]);
      put(i, at == WordIndex::none ? 1 : static_cast<double>(at + 2));
    }
    return {};
  }

  Result<void> bag() {
    TRY(positions, known_positions());
    const std::size_t begin = row_.size();
    for (std::size_t i = 0; i < positions.size();) {
      std::size_t end = i;
      while (end < positions.size() && positions[end] == positions[i]) ++end;
      double value = static_cast<double>(end - i);
      if (spec_.binary) value = 1;
      if (spec_.sublinear) value = 1 + std::log(value);
      if (spec_.method == Method::tfidf) value *= fit_.weights[positions[i]];
      put(positions[i], value);
      i = end;
    }
    if (spec_.method != Method::tfidf) return {};
    double squares = 0;
    for (std::size_t i = begin; i < row_.size(); ++i) squares += row_[i].value * row_[i].value;
    const double length = std::sqrt(squares);
    for (std::size_t i = begin; i < row_.size(); ++i) row_[i].value /= length;
    return {};
  }

  Result<void> mean_vector() {
    TRY(text, text_of(cells_.front(), place_.columns.front()));
    if (!text) return {};
    const std::string plain = normalised(*text, spec_.rules);
    std::vector<double> sum(vectors_->width());
    std::size_t known = 0;
    for (const std::string_view word : words_of(plain, spec_.least_characters)) {
      const auto vector = vectors_->find(word);
      if (vector.empty()) continue;
      ++known;
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += static_cast<double>(vector[i]);
    }
    for (std::size_t i = 0; i < sum.size() && known > 0; ++i) {
      put(i, sum[i] / static_cast<double>(known));
    }
    return {};
  }

  Result<void> text_counts() {
    TRY(text, text_of(cells_.front(), place_.columns.front()));
    for (std::size_t i = 0; i < spec_.parts.size() && text; ++i) {
      put(i, static_cast<double>(text_part(*text, spec_.parts[i], spec_.least_characters)));
    }
    return {};
  }

  // The positions of the words of this value that have one, sorted; counts the others.
  Result<std::vector<std::size_t>> known_positions() {
    TRY(words, words_in(cells_, place_.columns, spec_));
    std::vector<std::size_t> positions;
    for (const std::string& word : words) {
      const std::size_t at = place_.index.find(word);
      if (at == WordIndex::none) {
        ++unknown_;
      } else {
        positions.push_back(at);
      }
    }
    std::sort(positions.begin(), positions.end());
    return positions;
  }

  const FeatureSpec& spec_;
  const Fitted& fit_;
  const Transform::Place& place_;
  const WordVectors* vectors_;
  std::vector<Entry>& row_;
  std::vector<Cell> cells_;
  std::size_t unknown_ = 0;
};

Result<void> Transform::apply_row(std::span<const Cell> cells, std::vector<Entry>& row) const {
  CHECK(cells.size() == inputs_.size());
  row.clear();
  for (std::size_t i = 0; i < features_.size(); ++i) {
    if (features_[i].method == Method::label) continue;
    if (auto applied = FeatureApplier(*this, i, cells, row).apply(); !applied) {
      return applied.error().within("feature \"" + features_[i].name + "\"");
    }
  }
  return {};
}

}  // namespace pipelined::model
