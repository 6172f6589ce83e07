// data.split: each row goes to one share, and no key goes to two.
//
// By hash, the bucket of a row is its key's number modulo the sum of all shares; shares own runs of
// buckets in the order of their names.  So a share that is divided into names which begin with its own
// (train -> train, train_tuning) keeps every other share's rows where they are.
#include <arrow/array.h>
#include <arrow/array/builder_base.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_map>

#include "plugins/common/arrow_result.h"
#include "plugins/common/column_types.h"
#include "plugins/common/examples.h"
#include "plugins/data/operators.h"
#include "plugins/data/split_key.h"
#include "plugins/data/split_rule.h"
#include "plugins/data/statistics.h"

namespace pipelined {
namespace {

constexpr std::size_t leaks_named_max = 5;

struct Share {
  std::string name;
  std::optional<ExamplesWriter> writer;
  std::vector<std::pair<std::int64_t, std::int64_t>> runs;  ///< of rows in this batch: from, to
};

/// Finds keys that came to two shares.  Eight bytes and a share a key are kept.
class LeakCheck {
 public:
  explicit LeakCheck(RowKey key) : key_(std::move(key)) {}

  void see(const arrow::RecordBatch& batch, const std::vector<int>& shares) {
    for (std::size_t i = 0; i < shares.size(); ++i) {
      if (shares[i] == no_share) continue;
      const auto row = static_cast<std::int64_t>(i);
      const auto [known, fresh] = owners_.emplace(key_.number(batch, row), shares[i]);
      if (fresh || known->second == shares[i] || known->second == leaked) continue;
      known->second = leaked;
      ++count_;
      if (named_.size() < leaks_named_max) named_.push_back(key_.readable(batch, row));
    }
  }

  std::int64_t count() const { return count_; }
  const std::vector<std::string>& named() const { return named_; }

 private:
  static constexpr int leaked = -2;
  RowKey key_;
  std::unordered_map<std::uint64_t, int> owners_;
  std::int64_t count_ = 0;
  std::vector<std::string> named_;
};

Result<std::vector<std::string>> share_names(const sdk::Context& context) {
  const std::vector<std::string> names = context.keys("shares");
  if (names.empty()) {
    return Error{ErrorCode::invalid, "shares: at least one is expected, as in "
                                     "params.shares = { train = 8, eval = 2 }"};
  }
  for (const std::string& port : context.output_ports()) {
    bool known = false;
    for (const std::string& name : names) {
      known = known || port == name || port == name + "_statistics";
    }
    if (!known) {
      return Error{ErrorCode::invalid, "output '" + port + "': no share has that name"};
    }
  }
  return names;
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

void put_runs(const std::vector<int>& owners, std::vector<Share>& shares) {
  for (Share& share : shares) share.runs.clear();
  for (std::size_t i = 0; i < owners.size(); ++i) {
    if (owners[i] == no_share) continue;
    auto& runs = shares[static_cast<std::size_t>(owners[i])].runs;
    const auto row = static_cast<std::int64_t>(i);
    if (!runs.empty() && runs.back().second == row) {
      ++runs.back().second;
    } else {
      runs.emplace_back(row, row + 1);
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

/// The work of one attempt.
class Splitting {
 public:
  explicit Splitting(sdk::Context& context)
      : context_(context), given_(context.text("by", "hash") == "given") {}

  Result<void> run() {
    TRY(names, share_names(context_));
    TRY(reader, open_all(names));
    schema_ = reader.schema();
    row_count_ = reader.row_count();
    for (const std::string& name : names) shares_.push_back({name, std::nullopt, {}});
    TRY_VOID(open_writers());
    TRY_VOID(prepare_leaks());
    if (given_) {
      TRY_VOID(deal_given());
    } else {
      TRY(rule, make_split_rule(context_, *schema_, names));
      TRY_VOID(deal(*rule, reader));
    }
    return finish();
  }

 private:
  Result<ExamplesReader> open_all(const std::vector<std::string>& names) {
    std::vector<std::string> folders;
    if (!given_) folders = input_folders(context_, "examples");
    for (const std::string& name : given_ ? names : std::vector<std::string>()) {
      const auto more = input_folders(context_, name);
      if (more.empty()) {
        return Error{ErrorCode::invalid, "by = \"given\": the share " + name +
                                             " needs an input of its name"};
      }
      folders.insert(folders.end(), more.begin(), more.end());
    }
    if (folders.empty()) return Error{ErrorCode::invalid, "the input 'examples' is missing"};
    return ExamplesReader::open(folders);
  }

  Result<void> open_writers() {
    for (Share& share : shares_) {
      if (!context_.wants_output(share.name)) continue;
      TRY(writer, ExamplesWriter::create(context_.output_path(share.name).string(), schema_));
      share.writer = std::move(writer);
    }
    return {};
  }

  /// Keys that a hash of themselves deals out cannot leak.
  Result<void> prepare_leaks() {
    const auto key = context_.list("key"), apart = context_.list("apart", key);
    if (apart.empty() || (apart == key && context_.text("by", "hash") == "hash")) return {};
    TRY(columns, RowKey::over(*schema_, apart, "apart", ""));
    leaks_.emplace(std::move(columns));
    return {};
  }

  Result<void> deal(SplitRule& rule, ExamplesReader& reader) {
    if (rule.looks_first()) {
      TRY(first, open_all({}));
      for (;;) {
        if (context_.cancelled()) return stopped();
        TRY(batch, first.next());
        if (!batch) break;
        rule.look(*batch);
      }
      rule.looked();
    }
    for (;;) {
      if (context_.cancelled()) return stopped();
      TRY(batch, reader.next());
      if (!batch) return {};
      TRY_VOID(take(*batch, rule.decide(*batch)));
    }
  }

  Result<void> deal_given() {
    for (std::size_t i = 0; i < shares_.size(); ++i) {
      TRY(reader, ExamplesReader::open(input_folders(context_, shares_[i].name)));
      for (;;) {
        if (context_.cancelled()) return stopped();
        TRY(raw, reader.next());
        if (!raw) break;
        TRY(batch, conform(*raw, schema_));
        TRY_VOID(take(*batch, std::vector<int>(static_cast<std::size_t>(batch->num_rows()),
                                               static_cast<int>(i))));
      }
    }
    return {};
  }

  Result<void> take(const arrow::RecordBatch& batch, const std::vector<int>& owners) {
    put_runs(owners, shares_);
    for (const int owner : owners) left_out_ += owner == no_share;
    if (leaks_) leaks_->see(batch, owners);
    for (Share& share : shares_) TRY_VOID(write_runs(batch, share));
    context_.progress(done_ += batch.num_rows(), row_count_);
    return {};
  }

  Result<void> finish() {
    for (Share& share : shares_) {
      if (!share.writer) continue;
      TRY_VOID(share.writer->close());
      context_.metric("rows", static_cast<double>(share.writer->row_count()), share.name);
    }
    for (const Share& share : shares_) TRY_VOID(describe_share(context_, share.name));
    if (left_out_ > 0) {
      context_.metric("rows_left_out", static_cast<double>(left_out_));
      context_.log(sdk::Level::warning, std::to_string(left_out_) + " rows belong to no share");
    }
    if (leaks_) report_leaks();
    return {};
  }

  void report_leaks() {
    context_.metric("leaked_keys", static_cast<double>(leaks_->count()));
    if (leaks_->count() == 0) return;
    context_.note("leaked_keys", nlohmann::json(leaks_->named()).dump());
    context_.halt(std::to_string(leaks_->count()) +
                  (leaks_->count() == 1 ? " key is" : " keys are") +
                  " in more than one share, such as " + leaks_->named().front());
  }

  static Error stopped() { return {ErrorCode::cancelled, "split was asked to stop"}; }

  sdk::Context& context_;
  bool given_;
  std::shared_ptr<arrow::Schema> schema_;
  std::int64_t row_count_ = 0, done_ = 0, left_out_ = 0;
  std::vector<Share> shares_;
  std::optional<LeakCheck> leaks_;
};

}  // namespace

Result<void> run_data_split(sdk::Context& context) { return Splitting(context).run(); }

}  // namespace pipelined
