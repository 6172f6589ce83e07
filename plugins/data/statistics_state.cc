// statistics.state: a header, then each column with its name, its type and the state of its summary,
// pairs of columns, and the columns of slices.
#include <algorithm>

#include "plugins/data/operators.h"
#include "plugins/data/statistics.h"

namespace pipelined {
namespace {

constexpr std::string_view magic = "pipelined statistics\n";
constexpr std::uint32_t version = 2;

std::string type_word(const ColumnSummary& column) {
  return column.type() ? name_of(*column.type()) : "other";
}

/// Names, rows and summaries of a table, or of a slice of it.
struct Rows {
  std::vector<std::string>& names;
  std::vector<ColumnSummary>& columns;
  std::int64_t& count;
  std::size_t distinct_max;
};

/// The column of that name, made if there is none.
Result<ColumnSummary*> column_of(Rows& rows, const std::string& name, const std::string& type) {
  const auto found = std::find(rows.names.begin(), rows.names.end(), name);
  if (found == rows.names.end()) {
    rows.names.push_back(name);
    rows.columns.emplace_back(column_type_named(type), rows.distinct_max);
    rows.columns.back().rows = rows.count;  // missing in all parts before
    return &rows.columns.back();
  }
  ColumnSummary& column = rows.columns[static_cast<std::size_t>(found - rows.names.begin())];
  if (type_word(column) == type) return &column;
  return Error{ErrorCode::invalid, "column '" + name + "' is " + type_word(column) +
                                       " in one part and " + type +
                                       " in another; declare its type where it is ingested"};
}

void write_columns(StateWriter& writer, const std::vector<std::string>& names,
                   const std::vector<ColumnSummary>& columns, std::int64_t rows) {
  writer.number(rows);
  writer.number(static_cast<std::uint64_t>(columns.size()));
  for (std::size_t i = 0; i < columns.size(); ++i) {
    StateWriter column;
    columns[i].write_state(column);
    writer.text(names[i]);
    writer.text(type_word(columns[i]));
    writer.text(column.bytes());
  }
}

Error corrupt() {
  return {ErrorCode::corrupt, "a statistics.state is not what data.statistics writes; make it anew"};
}

Result<void> merge_columns(StateReader& reader, Rows rows) {
  const auto more = reader.number<std::int64_t>();
  const std::size_t columns = reader.count(12);
  for (std::size_t i = 0; i < columns; ++i) {
    const std::string name(reader.text()), type(reader.text());
    TRY(column, column_of(rows, name, type));
    StateReader part(reader.text());
    if (!reader.good()) return corrupt();
    if (auto merged = column->merge_state(part); !merged) {
      return merged.error().within("column '" + name + "'");
    }
  }
  rows.count += more;
  // What a part does not have is missing in its rows.
  for (ColumnSummary& column : rows.columns) column.rows = rows.count;
  return {};
}

/// The slice of that name, at its place among the others.
TableSlice& slice_of(TableSummary& table, const std::string& name) {
  auto place = std::lower_bound(table.slices.begin(), table.slices.end(), name,
                                [](const TableSlice& slice, const std::string& wanted) {
                                  return slice.name < wanted;
                                });
  if (place == table.slices.end() || place->name != name) {
    place = table.slices.insert(place, TableSlice{name, 0, {}, {}});
  }
  return *place;
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
  write_columns(writer, table.names, table.columns, table.rows);
  writer.number(static_cast<std::uint64_t>(table.pairs.size()));
  for (const PairSummary& pair : table.pairs) pair.write_state(writer);
  writer.number(static_cast<std::uint64_t>(table.slices.size()));
  for (const TableSlice& slice : table.slices) {
    writer.text(slice.name);
    write_columns(writer, slice.names, slice.columns, slice.rows);
  }
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
  TRY_VOID(merge_columns(reader, {table.names, table.columns, table.rows, exact_values_max}));
  const std::size_t pairs = reader.count(60);
  for (std::size_t i = 0; i < pairs && reader.good(); ++i) {
    TRY_VOID(merge_pair(PairSummary::read_state(reader), table));
  }
  const std::size_t slices = reader.count(20);
  for (std::size_t i = 0; i < slices && reader.good(); ++i) {
    TableSlice& slice = slice_of(table, std::string(reader.text()));
    if (table.slices.size() > slices_max) {
      return Error{ErrorCode::invalid, "the parts have more than " + std::to_string(slices_max) +
                                           " slices together"};
    }
    TRY_VOID(merge_columns(reader, {slice.names, slice.columns, slice.rows, slice_distinct_max}));
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
