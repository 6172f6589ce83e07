// data.split: each row goes to the share that owns the bucket of its key.
//
// The bucket is the SHA-256 of salt and key, modulo the sum of all shares; shares own runs of buckets
// in the order of their names.  So a share that is divided into names which begin with its own
// (train -> train, train_tuning) keeps every other share's rows where they are.
#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/array/builder_base.h>
#include <arrow/array/concatenate.h>
#include <openssl/sha.h>

#include <charconv>
#include <cmath>
#include <map>
#include <optional>

#include "plugins/common/arrow_result.h"
#include "plugins/common/column_types.h"
#include "plugins/common/examples.h"
#include "plugins/data/operators.h"
#include "plugins/data/statistics.h"

namespace pipelined {
namespace {

struct Share {
  std::string name;
  std::uint64_t end = 0;  ///< first bucket that is not its own
  std::optional<ExamplesWriter> writer;
  std::vector<std::pair<std::int64_t, std::int64_t>> runs;  ///< of rows in this batch: from, to
};

Result<std::vector<Share>> read_shares(const sdk::Context& context) {
  std::vector<Share> shares;
  std::uint64_t end = 0;
  for (const std::string& name : context.keys("shares")) {
    const std::int64_t size = context.integer("shares." + name);
    if (size < 1 || size > 1'000'000) {
      return Error{ErrorCode::invalid,
                   "shares." + name + ": a whole number from 1 to 1000000 is expected"};
    }
    end += static_cast<std::uint64_t>(size);
    shares.push_back({name, end, std::nullopt, {}});
  }
  if (shares.empty()) {
    return Error{ErrorCode::invalid, "shares: at least one is expected, as in "
                                     "params.shares = { train = 8, eval = 2 }"};
  }
  for (const std::string& port : context.output_ports()) {
    bool known = false;
    for (const Share& share : shares) {
      known = known || port == share.name || port == share.name + "_statistics";
    }
    if (!known) {
      return Error{ErrorCode::invalid, "output '" + port + "': no share has that name"};
    }
  }
  return shares;
}

void append_word(std::string& key, char kind, std::string_view text) {
  key += kind;
  key += std::to_string(text.size());
  key += ':';
  key += text;
}

/// One value of a key: its kind, the length of its text, its text; so no two keys look alike.
void append_value(std::string& key, const arrow::Array& column, std::int64_t row) {
  if (column.IsNull(row)) {
    key += 'n';
    return;
  }
  char text[40];
  const auto put_integer = [&](char kind, std::int64_t value) {
    const auto end = std::to_chars(text, text + sizeof text, value).ptr;
    append_word(key, kind, std::string_view(text, static_cast<std::size_t>(end - text)));
  };
  switch (column.type_id()) {
    case arrow::Type::STRING:
      return append_word(key, 's', static_cast<const arrow::StringArray&>(column).GetView(row));
    case arrow::Type::BOOL:
      return put_integer('b', static_cast<const arrow::BooleanArray&>(column).Value(row));
    case arrow::Type::DATE32:
      return put_integer('d', static_cast<const arrow::Date32Array&>(column).Value(row));
    case arrow::Type::TIMESTAMP:
      return put_integer('t', static_cast<const arrow::TimestampArray&>(column).Value(row));
    case arrow::Type::DOUBLE: {
      const double value = static_cast<const arrow::DoubleArray&>(column).Value(row);
      // A whole float is written like an int: the key stays where it is when a column's type widens.
      if (value == std::floor(value) && std::abs(value) < 9e15) {
        return put_integer('i', static_cast<std::int64_t>(value));
      }
      const auto end = std::to_chars(text, text + sizeof text, value).ptr;
      return append_word(key, 'f', std::string_view(text, static_cast<std::size_t>(end - text)));
    }
    default: return put_integer('i', static_cast<const arrow::Int64Array&>(column).Value(row));
  }
}

std::uint64_t bucket_of(const std::string& key, std::uint64_t buckets) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(key.data()), key.size(), digest);
  std::uint64_t number = 0;
  for (int i = 0; i < 8; ++i) number = number << 8 | digest[i];
  return number % buckets;
}

Result<std::vector<int>> key_columns(const sdk::Context& context, const arrow::Schema& schema) {
  std::vector<int> columns;
  for (const std::string& name : context.list("key")) {
    const int index = schema.GetFieldIndex(name);
    if (index < 0) return Error{ErrorCode::invalid, "key: there is no column '" + name + "'"};
    columns.push_back(index);
  }
  if (!columns.empty()) return columns;
  for (int i = 0; i < schema.num_fields(); ++i) columns.push_back(i);
  return columns;
}

Result<void> write_runs(const arrow::RecordBatch& batch, Share& share) {
  arrow::ArrayVector columns;
  std::int64_t rows = 0;
  for (const auto& [from, to] : share.runs) rows += to - from;
  if (!share.writer || rows == 0) return {};
  for (const auto& column : batch.columns()) {
    std::unique_ptr<arrow::ArrayBuilder> builder;
    TRY_VOID(from_arrow("split a batch", arrow::MakeBuilder(arrow::default_memory_pool(),
                                                            column->type(), &builder)));
    TRY_VOID(from_arrow("split a batch", builder->Reserve(rows)));
    const arrow::ArraySpan span(*column->data());
    for (const auto& [from, to] : share.runs) {
      TRY_VOID(from_arrow("split a batch", builder->AppendArraySlice(span, from, to - from)));
    }
    TRY(array, from_arrow("split a batch", builder->Finish()));
    columns.push_back(std::move(array));
  }
  return share.writer->write(arrow::RecordBatch::Make(batch.schema(), rows, std::move(columns)));
}

void assign_rows(const arrow::RecordBatch& batch, const std::vector<int>& columns,
                 const std::string& salt, std::vector<Share>& shares) {
  for (Share& share : shares) share.runs.clear();
  std::string key;
  for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
    key.clear();
    append_word(key, 's', salt);
    for (const int column : columns) append_value(key, *batch.column(column), row);
    const std::uint64_t bucket = bucket_of(key, shares.back().end);
    for (Share& share : shares) {
      if (bucket >= share.end) continue;
      if (!share.runs.empty() && share.runs.back().second == row) {
        ++share.runs.back().second;
      } else {
        share.runs.emplace_back(row, row + 1);
      }
      break;
    }
  }
}

Result<void> describe_share(const sdk::Context& context, const std::string& share) {
  const std::string port = share + "_statistics";
  if (!context.wants_output(port)) return {};
  if (!context.wants_output(share)) {
    return Error{ErrorCode::invalid, "output '" + port + "' needs the output '" + share + "'"};
  }
  StatisticsOptions options;
  options.label = context.text("label");
  options.threads = context.threads();
  TRY(table, summarise({context.output_path(share).string()}, options));
  return pipelined::write_statistics(context.output_path(port).string(), table, options);
}

}  // namespace

Result<void> run_data_split(sdk::Context& context) {
  TRY(shares, read_shares(context));
  TRY(reader, ExamplesReader::open(input_folders(context, "examples")));
  TRY(columns, key_columns(context, *reader.schema()));
  for (Share& share : shares) {
    if (!context.wants_output(share.name)) continue;
    TRY(writer, ExamplesWriter::create(context.output_path(share.name).string(), reader.schema()));
    share.writer = std::move(writer);
  }
  const std::string salt = context.text("salt");
  std::int64_t done = 0;
  for (;;) {
    if (context.cancelled()) return Error{ErrorCode::cancelled, "split was asked to stop"};
    TRY(batch, reader.next());
    if (!batch) break;
    assign_rows(*batch, columns, salt, shares);
    for (Share& share : shares) TRY_VOID(write_runs(*batch, share));
    done += batch->num_rows();
    context.progress(done, reader.row_count());
  }
  for (Share& share : shares) {
    if (!share.writer) continue;
    TRY_VOID(share.writer->close());
    context.metric("rows", static_cast<double>(share.writer->row_count()), share.name);
  }
  for (const Share& share : shares) TRY_VOID(describe_share(context, share.name));
  return {};
}

}  // namespace pipelined
