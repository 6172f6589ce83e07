#include "plugins/data/weight_summary.h"

#include <arrow/array.h>

#include <algorithm>
#include <cmath>

#include "plugins/data/column_summary.h"

namespace pipelined {
namespace {

constexpr std::size_t listed_texts_max = 1000;
constexpr std::size_t frequent_texts = 256;

void add_text(TextWeights& texts, std::string_view text, double weight) {
  if (text.size() > long_text_bytes) text = long_text_word;
  texts.add(text, weight);
}

}  // namespace

void WeightSummary::add(const arrow::Array& array, std::optional<ColumnType> type,
                        const double* weights) {
  const arrow::DictionaryArray* words = nullptr;
  if (array.type_id() == arrow::Type::DICTIONARY) {
    words = &static_cast<const arrow::DictionaryArray&>(array);
  }
  const auto take = [&](double value, double weight, bool number) {
    if (!std::isfinite(value)) return;
    if (number) moments.add(value, weight);
    numbers.add(value + 0.0, weight);  // -0.0 is 0.0
  };
  for (std::int64_t i = 0; i < array.length(); ++i) {
    const double weight = weights[i];
    if (array.IsNull(i) || weight == 0) continue;
    count.add(weight);
    if (!type) continue;
    switch (array.type_id()) {
      case arrow::Type::INT64:
      case arrow::Type::TIMESTAMP:
        take(static_cast<double>(array.data()->GetValues<std::int64_t>(1)[i]), weight,
             array.type_id() == arrow::Type::INT64);
        break;
      case arrow::Type::DATE32:
        take(array.data()->GetValues<std::int32_t>(1)[i], weight, false);
        break;
      case arrow::Type::DOUBLE: take(array.data()->GetValues<double>(1)[i], weight, true); break;
      case arrow::Type::BOOL:
        (static_cast<const arrow::BooleanArray&>(array).Value(i) ? true_weight : false_weight) += weight;
        break;
      case arrow::Type::DICTIONARY:
        add_text(texts, static_cast<const arrow::StringArray&>(*words->dictionary())
                            .GetView(words->GetValueIndex(i)), weight);
        break;
      default:
        add_text(texts, static_cast<const arrow::StringArray&>(array).GetView(i), weight);
    }
  }
}

void WeightSummary::write_state(StateWriter& writer) const {
  write(writer, count);
  write(writer, moments.weight());
  write(writer, moments.sum());
  writer.number(moments.spread());
  write(writer, true_weight);
  write(writer, false_weight);
  numbers.write_state(writer);
  auto entries = texts.entries();
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  Weight taken_off = 0;
  const bool listed = texts.exact() && entries.size() <= listed_texts_max;
  if (!listed && entries.size() > frequent_texts) {
    taken_off = entries[frequent_texts].second;
    entries.resize(frequent_texts);
    std::erase_if(entries, [&](const auto& entry) { return entry.second <= taken_off; });
  }
  writer.number(static_cast<std::uint8_t>(listed));
  write(writer, texts.error() + taken_off);
  writer.number(static_cast<std::uint64_t>(entries.size()));
  for (const auto& [text, weight] : entries) {
    writer.text(text);
    write(writer, weight - taken_off);
  }
}

void WeightSummary::merge_state(StateReader& reader) {
  count.merge(read_sum(reader));
  const Sum weight = read_sum(reader), sum = read_sum(reader);
  moments.merge({weight, sum, reader.number<double>()});
  true_weight += read_weight(reader);
  false_weight += read_weight(reader);
  numbers.merge_state(reader);
  const bool listed = reader.number<std::uint8_t>() != 0;
  const Weight error = read_weight(reader);
  const std::size_t size = reader.count(20);
  for (std::size_t i = 0; i < size && reader.good(); ++i) {
    const std::string_view text = reader.text();
    const Weight own = read_weight(reader);
    if (own > 0) texts.add(text, own);
  }
  if (!listed) texts.add_error(error);
}

}  // namespace pipelined
