// Analysis::fit: from counts and sums to what a transform applies.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "model/analysis.h"

namespace pipelined::model {
namespace {

// More columns of one feature than this come only to somebody who asks for them with top_k.
constexpr std::size_t columns_max = 1000;

Error wrong(const FeatureSpec& spec, const std::string& what) {
  return {ErrorCode::invalid, "feature \"" + spec.name + "\" " + what};
}

// Whole numbers before texts and by their value; texts by their bytes.
bool by_word(const std::string& left, const std::string& right) {
  const auto whole = [](const std::string& word, std::int64_t& value) {
    const char* last = word.data() + word.size();
    const auto [end, error] = std::from_chars(word.data(), last, value);
    return error == std::errc() && end == last;
  };
  std::int64_t a = 0;
  std::int64_t b = 0;
  const bool left_whole = whole(left, a);
  const bool right_whole = whole(right, b);
  if (left_whole != right_whole) return left_whole;
  if (left_whole && a != b) return a < b;
  return left < right;
}

class FeatureFit {
 public:
  FeatureFit(const FeatureSpec& spec, const FeatureFacts& facts, bool numbered)
      : spec_(spec), facts_(facts), numbered_(numbered) {}

  Result<Fitted> fit() {
    fitted_.rows = facts_.rows;
    fitted_.missing = facts_.missing;
    if (spec_.method == Method::number) {
      TRY_VOID(fit_number());
    } else if (spec_.method == Method::buckets) {
      TRY_VOID(fit_buckets());
    } else if (!spec_.categories.empty()) {
      fitted_.words = spec_.categories;
    } else if (spec_.counts_words()) {
      TRY_VOID(fit_words());
    }
    return std::move(fitted_);
  }

 private:
  std::int64_t present() const { return facts_.rows - facts_.missing; }

  Result<void> fit_number() {
    const auto count = static_cast<Wide>(present());
    const double mean = present() > 0 ? static_cast<double>(facts_.sum.wide() / count) : 0;
    const bool imputes = spec_.impute != Impute::none && spec_.impute != Impute::constant;
    if (imputes && present() == 0) {
      return wrong(spec_, "has no value in any row: there is nothing to impute from; leave it out "
                          "or use impute = \"constant\"");
    }
    constexpr double half = 0.5;
    if (spec_.impute == Impute::mean) fitted_.fill = mean;
    if (spec_.impute == Impute::median) fitted_.fill = facts_.values.quantiles({{half}}).front();
    if (spec_.impute == Impute::most_frequent) fitted_.fill = facts_.values.most_frequent();
    if (spec_.impute == Impute::constant) fitted_.fill = spec_.fill;
    if (present() == 0) return {};
    if (spec_.scale == Scale::z_score) {
      fitted_.center = mean;
      const Wide spread =
          facts_.squares.wide() / count - (facts_.sum.wide() / count) * (facts_.sum.wide() / count);
      const bool constant = facts_.least == facts_.most || !(spread > 0);
      fitted_.scale = constant ? 1 : std::sqrt(static_cast<double>(spread));
    } else if (spec_.scale == Scale::min_max) {
      fitted_.center = facts_.least;
      fitted_.scale = facts_.most - facts_.least;
    } else if (spec_.scale == Scale::robust) {
      const auto quartiles = facts_.values.quantiles({{0.25, half, 0.75}});
      fitted_.center = quartiles[1];
      fitted_.scale = quartiles[2] - quartiles[0];
    }
    if (!(fitted_.scale > 0)) fitted_.scale = 1;  // a constant column becomes 0
    return {};
  }

  Result<void> fit_buckets() {
    fitted_.boundaries = spec_.boundaries;
    if (!spec_.boundaries.empty() || present() == 0) return {};
    std::vector<double> shares;
    for (std::int64_t i = 1; i < spec_.buckets; ++i) {
      shares.push_back(static_cast<double>(i) / static_cast<double>(spec_.buckets));
    }
    auto cuts = facts_.values.quantiles(shares);
    // Buckets that nothing could fall into are left out.
    cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
    std::erase_if(cuts, [&](double cut) { return cut <= facts_.least || cut > facts_.most; });
    fitted_.boundaries = std::move(cuts);
    return {};
  }

  Result<void> fit_words() {
    using Row = std::pair<std::string, WordCount>;
    std::vector<Row> rows;
    for (const auto& [word, count] : facts_.words) {
      if (count.rows >= spec_.min_frequency) rows.emplace_back(word, count);
    }
    std::sort(rows.begin(), rows.end(), [](const Row& left, const Row& right) {
      if (left.second.total != right.second.total) return left.second.total > right.second.total;
      return left.first < right.first;
    });
    const bool columns = spec_.method == Method::one_hot || spec_.method == Method::multi_hot;
    if (columns && spec_.top_k == 0 && rows.size() > columns_max) {
      return wrong(spec_, "has " + std::to_string(rows.size()) + " categories and would make as "
                          "many columns; say how many with top_k, or use hashed or vocabulary");
    }
    if (spec_.top_k > 0 && rows.size() > static_cast<std::size_t>(spec_.top_k)) {
      rows.resize(static_cast<std::size_t>(spec_.top_k));
    }
    const bool by_frequency = spec_.method == Method::vocabulary ||
                              spec_.method == Method::tokens || spec_.method == Method::characters;
    if (!by_frequency) {
      std::sort(rows.begin(), rows.end(), [&](const Row& left, const Row& right) {
        return numbered_ ? by_word(left.first, right.first) : left.first < right.first;
      });
    }
    for (const auto& [word, count] : rows) {
      fitted_.words.push_back(word);
      if (spec_.method != Method::tfidf) continue;
      // scikit-learn's smooth_idf: as if one more text had every word once.
      fitted_.weights.push_back(std::log(static_cast<double>(1 + facts_.rows) /
                                         static_cast<double>(1 + count.rows)) + 1);
    }
    return {};
  }

  const FeatureSpec& spec_;
  const FeatureFacts& facts_;
  bool numbered_;
  Fitted fitted_;
};

}  // namespace

Result<Transform> Analysis::fit(std::shared_ptr<const WordVectors> vectors) const {
  if (facts_.empty() || facts_.front().rows == 0) {
    return Error{ErrorCode::invalid, "there is no row to fit the transform on"};
  }
  std::vector<Fitted> fitted;
  for (std::size_t i = 0; i < features_.size(); ++i) {
    const bool numbered =
        columns_of_[i].size() == 1 && columns_of_[i].front().kind == ColumnKind::integer;
    TRY(one, FeatureFit(features_[i], facts_[i], numbered).fit());
    fitted.push_back(std::move(one));
  }
  return Transform::make(columns_, features_, std::move(fitted), std::move(vectors));
}

}  // namespace pipelined::model
