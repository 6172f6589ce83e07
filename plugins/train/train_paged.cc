#include "plugins/train/train_paged.h"

#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "plugins/train/booster.h"
#include "plugins/train/example_ports.h"
#include "plugins/train/feature_bins.h"
#include "plugins/train/page_passes.h"
#include "plugins/train/page_store.h"
#include "plugins/train/paged_grower.h"
#include "plugins/train/remedy_weights.h"
#include "plugins/train/row_store.h"
#include "plugins/train/trees_checkpoint.h"

namespace pipelined::train {
namespace {

using nlohmann::json;

constexpr std::int64_t mebibyte = 1 << 20;
// More bins or categories of one feature have no place in 16 bits.
constexpr std::size_t bins_max = 60'000;

Error not_in_pages(const std::string& what) {
  return {ErrorCode::invalid, "method = \"pages\" cannot serve " + what +
                                  "; leave it out, or give the step memory for method = \"memory\""};
}

Result<void> check_settings(const sdk::Context& context, const Settings& settings) {
  if (context.input_count("base") > 0) return not_in_pages("input \"base\"");
  if (settings.samples()) return not_in_pages("\"subsample\" or \"colsample\" below 1");
  if (settings.undersample) return not_in_pages("sampling = \"undersample\"");
  if (!settings.monotone.empty()) return not_in_pages("\"monotone\"");
  if (settings.max_bin > static_cast<std::int64_t>(bins_max)) {
    return not_in_pages("\"max_bin\" above " + std::to_string(bins_max));
  }
  return {};
}

// The rows as 32-bit numbers in a file, with provisional codes.
class RawRows {
 public:
  RawRows(std::filesystem::path path, std::size_t width)
      : path_(std::move(path)), width_(width), out_(path_, std::ios::binary | std::ios::trunc) {}
  ~RawRows() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  RawRows(const RawRows&) = delete;
  RawRows& operator=(const RawRows&) = delete;

  Result<void> add(const TrainingTable& table) {
    if (width_ == 0) width_ = table.matrix.size() / std::max<std::size_t>(1, table.row_count());
    for (std::size_t row = 0; row < table.row_count(); ++row) {
      put(&table.labels[row], 1);
      put(table.matrix.data() + row * width_, width_);
    }
    rows_ += table.row_count();
    if (out_) return {};
    return Error{ErrorCode::io, "cannot write rows to the scratch folder; it may be full"};
  }

  // Calls `take(labels, numbers)` for some rows at a time.
  template <class Take>
  Result<void> each(const Take& take) {
    out_.close();
    std::ifstream in(path_, std::ios::binary);
    std::vector<float> both, labels, numbers;
    for (std::size_t done = 0; done < rows_;) {
      const std::size_t count = std::min(PageStore::rows_a_page, rows_ - done);
      both.resize(count * (width_ + 1));
      in.read(reinterpret_cast<char*>(both.data()),
              static_cast<std::streamsize>(both.size() * sizeof(float)));
      if (!in) return Error{ErrorCode::io, "cannot read rows from the scratch folder"};
      labels.clear();
      numbers.clear();
      for (std::size_t row = 0; row < count; ++row) {
        const auto begin = both.begin() + static_cast<std::ptrdiff_t>(row * (width_ + 1));
        labels.push_back(*begin);
        numbers.insert(numbers.end(), begin + 1, begin + 1 + static_cast<std::ptrdiff_t>(width_));
      }
      TRY_VOID(take(labels, numbers));
      done += count;
    }
    return {};
  }

 private:
  void put(const float* values, std::size_t count) {
    out_.write(reinterpret_cast<const char*>(values),
               static_cast<std::streamsize>(count * sizeof(float)));
  }

  std::filesystem::path path_;
  std::size_t width_;
  std::ofstream out_;
  std::size_t rows_ = 0;
};

// Memory that does not hang on the rows: reading, pages of all threads, sums of one node.
Result<std::int64_t> memory_for_sums(const sdk::Context& context, const Settings& settings,
                                     std::size_t width, std::size_t bin_count) {
  const std::int64_t limit = context.memory_bytes();
  if (limit == 0) return 256 * mebibyte;
  const std::int64_t page = static_cast<std::int64_t>(PageStore::rows_a_page * (2 * width + 24));
  const std::int64_t node =
      static_cast<std::int64_t>((bin_count + 1) * sizeof(WholeSum)) * settings.threads;
  const std::int64_t fixed = 24 * mebibyte + page * settings.threads;
  if (fixed + node <= limit) return std::max(node, (limit - fixed) / 2);
  return Error{ErrorCode::exhausted,
               "training from pages on " + std::to_string(width) + " features of " +
                   std::to_string(bin_count) + " bins takes about " +
                   std::to_string((fixed + node) / mebibyte) + " MiB and the step may use " +
                   std::to_string(limit / mebibyte) +
                   "; give it more with resources.memory, or fewer columns, bins or threads"};
}

// The rows in bins, and how much the rows of each class count.
struct Paged {
  PageStore store;
  std::vector<FeatureBins> bins;
};

Result<void> weigh(const sdk::Context& context, const Settings& settings,
                   const model::Signature& signature, const PageStore& store,
                   const std::map<float, double>& classes) {
  std::map<float, float> weights;
  if (context.input_count("remedy") > 0) {
    if (settings.balanced) {
      return Error{ErrorCode::invalid,
                   "class_weights = \"balanced\" and a remedy exclude each other"};
    }
    std::vector<float> labels;
    for (const auto& [label, count] : classes) labels.push_back(label);
    TRY(given, remedy_weights(context.input_path("remedy"), signature, labels));
    if (given.empty()) {
      TRY(shares, remedy_shares(context.input_path("remedy"), signature, labels));
      if (!shares.empty()) return not_in_pages("a remedy that leaves rows out");
    }
    for (std::size_t i = 0; i < given.size(); ++i) weights[labels[i]] = given[i];
  } else if (settings.balanced) {
    if (classes.empty()) {
      return Error{ErrorCode::invalid, "class_weights = \"balanced\" needs a label with classes"};
    }
    const double fair =
        static_cast<double>(store.row_count()) / static_cast<double>(classes.size());
    for (const auto& [label, count] : classes) {
      weights[label] = static_cast<float>(fair / count);
    }
  }
  if (weights.empty()) return {};
  return each_page(store, static_cast<int>(settings.threads),
                   [&](std::size_t page, std::size_t) -> Result<void> {
    std::vector<float> labels;
    TRY_VOID(store.read(page, Segment::labels, labels));
    for (float& label : labels) label = weights.at(label);
    return store.write(page, Segment::weights, labels);
  });
}

std::vector<std::uint16_t> binned(const std::vector<FeatureBins>& bins,
                                  std::span<const float> numbers, const CodeRanks* ranks) {
  std::vector<std::uint16_t> codes(numbers.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const std::size_t feature = i % bins.size();
    const bool ranked = ranks && bins[feature].categories;
    codes[i] = bins[feature].bin(
        ranked ? CodeRanks::of(ranks->features[feature], numbers[i]) : numbers[i]);
  }
  return codes;
}

Result<std::vector<FeatureBins>> choose_bins(const model::Signature& signature,
                                             const std::vector<model::ValueCounts>& counts,
                                             const Settings& settings) {
  std::vector<FeatureBins> bins;
  for (std::size_t i = 0; i < signature.features.size(); ++i) {
    const model::Feature& feature = signature.features[i];
    if (feature.type != model::FeatureType::text) {
      bins.push_back(bins_of(counts[i], static_cast<std::size_t>(settings.max_bin)));
      continue;
    }
    if (feature.categories.size() > bins_max) {
      return not_in_pages("feature \"" + feature.name + "\" with " +
                          std::to_string(feature.categories.size()) + " categories");
    }
    bins.push_back(bins_of_categories(feature.categories.size()));
  }
  return bins;
}

// Reads the examples: once into raw numbers that are counted, once more into bins.
Result<Paged> read_pages(const sdk::Context& context, const Settings& settings,
                         std::shared_ptr<const model::Transform> transform, Learned& learned) {
  TRY(reader, open_examples(context, "examples"));
  RawRows raw(context.scratch_path() / "numbers", 0);
  std::vector<model::ValueCounts> counts;
  CodeRanks ranks;
  const RowSink count = [&](TrainingTable& table) -> Result<void> {
    if (table.row_count() == 0) return {};
    counts.resize(table.matrix.size() / table.row_count());
    for (std::size_t i = 0; i < table.matrix.size(); ++i) {
      const auto number = static_cast<double>(table.matrix[i]);
      if (!std::isnan(number)) counts[i % counts.size()].add(number);
    }
    const Result<void> added = raw.add(table);
    table.matrix.clear();
    table.labels.clear();
    return added;
  };
  TRY(streamed, stream_training(std::move(reader), settings, std::move(transform), context, count,
                                ranks));
  learned = std::move(streamed);
  const model::Signature& signature = learned.signature;
  TRY(bins, choose_bins(signature, counts, settings));
  counts.clear();
  TRY(store, PageStore::create(context.scratch_path() / "pages", bins.size(),
                               signature.score_count()));
  std::map<float, double> classes;
  const bool has_classes = signature.objective != model::Objective::squared_error;
  TRY_VOID(raw.each([&](std::vector<float>& labels, const std::vector<float>& numbers) {
    for (float& label : labels) {
      label = CodeRanks::of(ranks.classes, label);
      if (has_classes) ++classes[label];
    }
    return store.add(binned(bins, numbers, &ranks), labels);
  }));
  TRY_VOID(store.close());
  TRY_VOID(weigh(context, settings, signature, store, classes));
  return Paged{std::move(store), std::move(bins)};
}

Result<std::optional<PageStore>> read_validation(const sdk::Context& context,
                                                 const Settings& settings, const Learned& learned,
                                                 const std::vector<FeatureBins>& bins) {
  if (context.input_count("validation") == 0) {
    if (settings.early_stopping == 0) return std::optional<PageStore>();
    return no_validation_rows();
  }
  TRY(reader, open_examples(context, "validation"));
  TRY(store, PageStore::create(context.scratch_path() / "validation", bins.size(),
                               learned.signature.score_count()));
  const RowSink add = [&](TrainingTable& rows) {
    const Result<void> added = store.add(binned(bins, rows.matrix, nullptr), rows.labels);
    rows.matrix.clear();
    rows.labels.clear();
    return added;
  };
  const auto counted = stream_coded(std::move(reader), learned.signature, learned.transform.get(),
                                    context, add);
  if (!counted) return counted.error();
  TRY_VOID(store.close());
  if (store.row_count() == 0) {
    return Error{ErrorCode::invalid, "no row at input \"validation\" has a label"};
  }
  return std::optional<PageStore>(std::move(store));
}

// The trees round by round, on training rows and, if there are any, validation rows.
class Rounds {
 public:
  Rounds(const sdk::Context& context, const Settings& settings, const model::Signature& signature,
         const Paged& paged, const PageStore* validation, std::int64_t sums_bytes)
      : context_(context),
        settings_(settings),
        objective_(signature.objective),
        groups_(signature.score_count()),
        threads_(static_cast<int>(settings.threads)),
        store_(paged.store),
        validation_(validation),
        grower_(paged.store, paged.bins, settings, sums_bytes),
        checkpoint_(context.scratch_path() / "trees") {
    curve_.loss = loss_of(objective_);
    curve_.curves.push_back({"training", {}});
    if (validation_) curve_.curves.push_back({"validation", {}});
  }

  Result<void> run() {
    TRY_VOID(begin());
    const std::int64_t often = std::max<std::int64_t>(1, settings_.rounds / 20);
    while (rounds() < settings_.rounds && !curve_.is_enough(settings_.early_stopping)) {
      if (context_.cancelled()) {
        return Error{ErrorCode::cancelled, "stopped after " + std::to_string(rounds()) + " of " +
                                               std::to_string(settings_.rounds) + " rounds"};
      }
      TRY_VOID(grow_round());
      if (rounds() % often == 0) TRY_VOID(keep());
      context_.progress(rounds(), settings_.rounds);
    }
    return {};
  }

  Result<Grown> end(const model::Signature& signature) {
    Grown grown;
    grown.stopped_early = curve_.is_enough(settings_.early_stopping);
    grown.rounds = settings_.early_stopping > 0 ? curve_.best_round() : rounds();
    trees_.resize(static_cast<std::size_t>(grown.rounds) * groups_);
    TRY(booster, Booster::make({}, {}, 1));
    TRY_VOID(booster.load(xgboost_json(trees_, signature)));
    TRY(bytes, booster.trees_ubj());
    grown.trees = std::move(bytes);
    grown.curve = std::move(curve_);
    return grown;
  }

 private:
  std::int64_t rounds() const { return static_cast<std::int64_t>(trees_.size() / groups_); }

  Result<void> begin() {
    TRY_VOID(begin_margins(store_, objective_, threads_));
    if (validation_) TRY_VOID(begin_margins(*validation_, objective_, threads_));
    const std::string kept = checkpoint_.load(curve_);
    if (kept.empty()) return {};
    const json document = json::from_cbor(kept, true, false);
    auto trees = trees_of_checkpoint(document);
    if (document.is_discarded() || !trees) {
      for (Curve& one : curve_.curves) one.losses.clear();
      return {};
    }
    for (std::size_t i = 0; i < trees->size(); ++i) TRY_VOID(add((*trees)[i], i % groups_));
    trees_ = std::move(*trees);
    context_.metric("rounds_found", static_cast<double>(rounds()));
    return {};
  }

  Result<void> add(const PagedTree& tree, std::size_t group) {
    TRY_VOID(add_tree(store_, tree, group, threads_));
    return validation_ ? add_tree(*validation_, tree, group, threads_) : Result<void>();
  }

  Result<void> grow_round() {
    TRY(bounds, derive(store_, objective_, threads_));
    for (std::size_t group = 0; group < groups_; ++group) {
      TRY(tree, grower_.grow(group, bounds[group]));
      TRY_VOID(add(tree, group));
      trees_.push_back(std::move(tree));
    }
    TRY(loss, mean_loss(store_, objective_, threads_));
    curve_.curves[0].losses.push_back(loss);
    if (!validation_) return {};
    TRY(other, mean_loss(*validation_, objective_, threads_));
    curve_.curves[1].losses.push_back(other);
    return {};
  }

  Result<void> keep() const {
    const std::vector<std::uint8_t> bytes = json::to_cbor(checkpoint_of(trees_));
    return checkpoint_.save({bytes.begin(), bytes.end()}, curve_);
  }

  const sdk::Context& context_;
  const Settings& settings_;
  model::Objective objective_;
  std::size_t groups_;
  int threads_;
  const PageStore& store_;
  const PageStore* validation_;
  PagedGrower grower_;
  TreesCheckpoint checkpoint_;
  LearningCurve curve_;
  std::vector<PagedTree> trees_;
};

}  // namespace

Result<PagedTraining> train_paged(const sdk::Context& context, const Settings& settings,
                                  std::shared_ptr<const model::Transform> transform) {
  TRY_VOID(check_settings(context, settings));
  PagedTraining training;
  TRY(paged, read_pages(context, settings, std::move(transform), training.learned));
  const std::size_t bin_count = BinLayout::of(paged.bins).count;
  TRY(sums_bytes, memory_for_sums(context, settings, paged.bins.size(), bin_count));
  TRY(validation, read_validation(context, settings, training.learned, paged.bins));
  training.rows = static_cast<std::int64_t>(paged.store.row_count());
  if (validation) training.validation_rows = static_cast<std::int64_t>(validation->row_count());
  Rounds rounds(context, settings, training.learned.signature, paged,
                validation ? &*validation : nullptr, sums_bytes);
  TRY_VOID(rounds.run());
  TRY(grown, rounds.end(training.learned.signature));
  training.grown = std::move(grown);
  return training;
}

}  // namespace pipelined::train
