// statistics.state: a header, then each column with its name, its type and the state of its summary.
#include <algorithm>

#include "plugins/data/operators.h"
#include "plugins/data/statistics.h"

namespace pipelined {
namespace {

constexpr std::string_view magic = "pipelined statistics\n";
constexpr std::uint32_t version = 1;

std::string type_word(const ColumnSummary& column) {
  return column.type() ? name_of(*column.type()) : "other";
}

/// The column of that name, made if there is none.
Result<ColumnSummary*> column_of(TableSummary& table, const std::string& name,
                                 const std::string& type) {
  const auto found = std::find(table.names.begin(), table.names.end(), name);
  if (found != table.names.end()) {
    ColumnSummary& column = table.columns[static_cast<std::size_t>(found - table.names.begin())];
    if (type_word(column) == type) return &column;
    return Error{ErrorCode::invalid, "column '" + name + "' is " + type_word(column) +
                                         " in one part and " + type +
                                         " in another; declare its type where it is ingested"};
  }
  table.names.push_back(name);
  table.columns.emplace_back(column_type_named(type));
  table.columns.back().rows = table.rows;  // missing in all parts before
  return &table.columns.back();
}

Result<void> merge_pair(PairSummary pair, TableSummary& table) {
  for (PairSummary& known : table.pairs) {
    if (known.x() != pair.x() || known.y() != pair.y()) continue;
    if (known.count() > 0 && pair.count() > 0 && known.numbers() != pair.numbers()) {
      return Error{ErrorCode::invalid, "'" + pair.x() + "*" + pair.y() + "' are numbers in one part and "
                                       "values in another"};
    }
    known.merge(pair);
    return {};
  }
  table.pairs.push_back(std::move(pair));
  return {};
}

Error corrupt() {
  return {ErrorCode::corrupt, "a statistics.state is not what data.statistics writes; make it anew"};
}

Result<void> take_name(std::string& name, std::string_view other, bool first, const char* what) {
  if (first) name = other;
  if (name == other) return {};
  return Error{ErrorCode::invalid, std::string("the parts have different ") + what + "s: '" + name +
                                       "' and '" + std::string(other) + "'"};
}

}  // namespace

std::string statistics_state(const TableSummary& table, const StatisticsOptions& options) {
  StateWriter writer;
  writer.array(magic.data(), magic.size());
  writer.number(version);
  writer.text(options.label);
  writer.text(options.weight);
  writer.number(table.rows);
  writer.number(static_cast<std::uint64_t>(table.columns.size()));
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    StateWriter column;
    table.columns[i].write_state(column);
    writer.text(table.names[i]);
    writer.text(type_word(table.columns[i]));
    writer.text(column.bytes());
  }
  writer.number(static_cast<std::uint64_t>(table.pairs.size()));
  for (const PairSummary& pair : table.pairs) pair.write_state(writer);
  return writer.bytes();
}

Result<void> merge_statistics(std::string_view state, TableSummary& table,
                              StatisticsOptions& options) {
  StateReader reader(state);
  if (reader.take(magic.size()) != magic) return corrupt();
  if (reader.number<std::uint32_t>() != version) {
    return Error{ErrorCode::unsupported, "a statistics.state is of another version than this one"};
  }
  const bool first = table.columns.empty() && table.rows == 0;
  TRY_VOID(take_name(options.label, reader.text(), first, "label"));
  TRY_VOID(take_name(options.weight, reader.text(), first, "weight"));
  const auto rows = reader.number<std::int64_t>();
  const std::size_t columns = reader.count(12);
  for (std::size_t i = 0; i < columns; ++i) {
    const std::string name(reader.text()), type(reader.text());
    TRY(column, column_of(table, name, type));
    StateReader part(reader.text());
    if (!reader.good()) return corrupt();
    if (auto merged = column->merge_state(part); !merged) {
      return merged.error().within("column '" + name + "'");
    }
  }
  table.rows += rows;
  // What a part does not have is missing in its rows.
  for (ColumnSummary& column : table.columns) column.rows = table.rows;
  const std::size_t pairs = reader.count(60);
  for (std::size_t i = 0; i < pairs && reader.good(); ++i) {
    TRY_VOID(merge_pair(PairSummary::read_state(reader), table));
  }
  if (!reader.good() || !reader.at_end()) return corrupt();
  return {};
}

Result<void> write_statistics(const std::string& folder, const TableSummary& table,
                              const StatisticsOptions& options) {
  TRY_VOID(write_text(folder + "/statistics.json", statistics_json(table, options)));
  return write_text(folder + "/statistics.state", statistics_state(table, options));
}

}  // namespace pipelined
