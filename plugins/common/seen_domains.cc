#include "plugins/common/seen_domains.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <algorithm>
#include <cmath>

namespace pipelined {
namespace {

using model::InputDomain;

void widen(InputDomain& domain, double least, double greatest) {
  if (!domain.range) domain.range = {least, greatest};
  domain.range->first = std::min(domain.range->first, least);
  domain.range->second = std::max(domain.range->second, greatest);
}

template <class Array>
void add_numbers(const arrow::Array& values, InputDomain& domain) {
  const auto& numbers = static_cast<const Array&>(values);
  using Number = decltype(numbers.Value(0));
  bool any = false;
  Number least{}, greatest{};
  for (std::int64_t row = 0; row < numbers.length(); ++row) {
    if (numbers.IsNull(row)) continue;
    const Number value = numbers.Value(row);
    if constexpr (std::is_floating_point_v<Number>) {
      if (!std::isfinite(value)) continue;
    }
    if (!any) least = greatest = value;
    any = true;
    least = std::min(least, value), greatest = std::max(greatest, value);
  }
  if (any) widen(domain, static_cast<double>(least), static_cast<double>(greatest));
}

}  // namespace

SeenDomains::SeenDomains(std::vector<model::ColumnInput> inputs, bool list_words)
    : inputs_(std::move(inputs)), list_words_(list_words) {
  for (const model::ColumnInput& input : inputs_) seen_.push_back({{input.name}, {}, false});
}

SeenDomains::SeenDomains(std::vector<model::ColumnInput> inputs, bool list_words,
                         const std::vector<InputDomain>& earlier)
    : SeenDomains(std::move(inputs), list_words) {
  for (Seen& one : seen_) {
    for (const InputDomain& known : earlier) {
      if (known.name != one.domain.name) continue;
      one.domain = known;
      one.words.insert(known.values.begin(), known.values.end());
      one.domain.values.clear();
    }
  }
}

void SeenDomains::add(const arrow::RecordBatch& batch) {
  for (Seen& one : seen_) {
    const auto column = batch.GetColumnByName(one.domain.name);
    if (!column) continue;
    switch (column->type_id()) {
      case arrow::Type::INT64: add_numbers<arrow::Int64Array>(*column, one.domain); break;
      case arrow::Type::DOUBLE: add_numbers<arrow::DoubleArray>(*column, one.domain); break;
      case arrow::Type::DATE32: add_numbers<arrow::Date32Array>(*column, one.domain); break;
      case arrow::Type::TIMESTAMP: add_numbers<arrow::TimestampArray>(*column, one.domain); break;
      case arrow::Type::STRING: {
        const auto& texts = static_cast<const arrow::StringArray&>(*column);
        for (std::int64_t row = 0; list_words_ && !one.too_many && row < texts.length(); ++row) {
          if (texts.IsNull(row) || one.words.contains(texts.GetView(row))) continue;
          one.words.emplace(texts.GetView(row));
          one.too_many = one.words.size() > InputDomain::values_max;
        }
        break;
      }
      default: break;
    }
  }
}

Result<std::vector<InputDomain>> SeenDomains::take(const sdk::Context& context) {
  std::vector<InputDomain> domains;
  for (Seen& one : seen_) {
    if (!one.too_many) one.domain.values.assign(one.words.begin(), one.words.end());
    domains.push_back(std::move(one.domain));
  }
  for (const char* param : {"optional", "closed"}) {
    for (const std::string& name : context.list(param)) {
      const auto found = std::find_if(domains.begin(), domains.end(),
                                      [&](const InputDomain& one) { return one.name == name; });
      if (found == domains.end()) {
        return Error{ErrorCode::invalid, std::string("parameter \"") + param + "\" names \"" + name +
                                             "\", which is no input of the model"};
      }
      const auto at = static_cast<std::size_t>(found - domains.begin());
      const bool closed = param == std::string_view("closed");
      (closed ? found->closed : found->optional) = true;
      if (!closed || !seen_[at].too_many) continue;
      return Error{ErrorCode::invalid, "input \"" + name + "\" cannot be closed: it has more than " +
                                           std::to_string(InputDomain::values_max) + " values"};
    }
  }
  return domains;
}

}  // namespace pipelined
