#include "plugins/model/move_search.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace pipelined::evaluation {
namespace {

using model::ColumnKind;

constexpr double whole_values_max = 4096;  // a range of so many whole numbers is tried whole
constexpr int bisections = 60;

bool is_whole(ColumnKind kind) { return kind != ColumnKind::real; }

// How much of the score tells for a decision: more is a clearer flip.
float strength(const model::Signature& signature, const std::vector<float>& scores,
               const std::string& decision) {
  if (signature.objective != model::Objective::multi_softprob) {
    return decision == "false" || decision.starts_with("below") ? -scores[0] : scores[0];
  }
  return *std::max_element(scores.begin(), scores.end());
}

// The shortest number that rounds to these 32 bits, as people would write it.
double shortest(float number) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  double read = 0;
  std::from_chars(text.data(), end, read);
  return static_cast<float>(read) == number ? read : static_cast<double>(number);
}

}  // namespace

MoveSearch::Tried MoveSearch::try_cell(std::size_t input, const OwnedCell& cell) const {
  GivenRow row = row_;
  row.set(input, cell);
  Tried tried;
  tried.scores.resize(model_.signature().score_count());
  if (!model_.score_cells(row.cells(), tried.scores)) return tried;  // refused by a closed domain
  tried.decision = *decision_of(model_.signature(), tried.scores, settings_.threshold);
  tried.flips = tried.decision != decision_;
  return tried;
}

Move MoveSearch::move_to(std::size_t input, OwnedCell cell, Tried tried, bool exact) const {
  const auto& domain = model_.domains()[input];
  const bool beyond =
      model::outside(domain, model_.inputs()[input].kind, view_of(cell)).has_value();
  return {input,  std::move(cell), std::move(tried.scores), std::move(tried.decision),
          exact, beyond,          0};
}

// Values without an order: the one that flips most clearly.
std::variant<Move, std::string> MoveSearch::among(std::size_t input,
                                                  const std::vector<OwnedCell>& values) const {
  std::optional<Move> best;
  std::size_t flips = 0;
  for (const OwnedCell& value : values) {
    if (value == row_.values()[input]) continue;
    Tried tried = try_cell(input, value);
    if (!tried.flips) continue;
    ++flips;
    const auto& signature = model_.signature();
    if (best && strength(signature, tried.scores, tried.decision) <=
                    strength(signature, best->scores, best->decision)) {
      continue;
    }
    best = move_to(input, value, std::move(tried), true);
  }
  if (!best) return "no value flips it";
  best->others = flips - 1;
  return *std::move(best);
}

std::optional<double> MoveSearch::place(std::size_t input) const {
  const OwnedCell& cell = row_.values()[input];
  if (const auto* whole = std::get_if<std::int64_t>(&cell)) return static_cast<double>(*whole);
  if (const auto* real = std::get_if<double>(&cell)) {
    return std::isfinite(*real) ? std::optional(*real) : std::nullopt;
  }
  return std::nullopt;
}

OwnedCell MoveSearch::cell_at(std::size_t input, double place) const {
  if (is_whole(model_.inputs()[input].kind)) return static_cast<std::int64_t>(std::llround(place));
  return place;
}

// Both sides of every threshold at which some tree asks for the feature.
std::vector<double> MoveSearch::places_of_trees(std::size_t feature) const {
  const bool whole = is_whole(model_.inputs()[feature].kind);
  std::vector<double> places;
  for (const model::TreeNode& node : model_.forest().nodes()) {
    if (node.left < 0 || node.feature != feature || node.set != model::TreeNode::no_set) continue;
    if (!std::isfinite(node.value)) continue;
    if (whole) {
      const double up = std::ceil(static_cast<double>(node.value));
      if (std::abs(up) > 9e15) continue;
      places.insert(places.end(), {up - 1, up});
    } else {
      const float down = std::nextafter(node.value, -std::numeric_limits<float>::infinity());
      places.insert(places.end(), {shortest(down), shortest(node.value)});
    }
  }
  return places;
}

std::vector<double> MoveSearch::places_of_range(std::size_t input, bool& exact) const {
  const auto& domain = model_.domains()[input];
  std::vector<double> places;
  if (!domain.range) return places;
  const auto [least, greatest] = *domain.range;
  const double width = greatest - least;
  exact = is_whole(model_.inputs()[input].kind) && width < whole_values_max;
  const std::size_t steps =
      exact ? static_cast<std::size_t>(width) : std::max<std::size_t>(settings_.points, 2) - 1;
  for (std::size_t i = 0; i <= steps; ++i) {
    const double share = steps == 0 ? 0 : static_cast<double>(i) / static_cast<double>(steps);
    places.push_back(least + width * share);
  }
  return places;
}

// Nearer values first, whatever `to` is; the first that flips.
OwnedCell MoveSearch::bisected(std::size_t input, double from, double to) const {
  OwnedCell flipping = cell_at(input, to);
  for (int i = 0; i < bisections; ++i) {
    const double middle = from + (to - from) / 2;
    const OwnedCell cell = cell_at(input, middle);
    if (middle == from || middle == to || cell == flipping) break;
    if (try_cell(input, cell).flips) {
      to = middle;
      flipping = cell;
    } else {
      from = middle;
    }
  }
  return flipping;
}

std::variant<Move, std::string> MoveSearch::along(std::size_t input,
                                                  const std::vector<double>& given,
                                                  bool exact) const {
  std::vector<double> places = given;
  const auto from = place(input);
  std::sort(places.begin(), places.end());
  places.erase(std::unique(places.begin(), places.end()), places.end());
  if (from) {
    std::stable_sort(places.begin(), places.end(), [&](double a, double b) {
      return std::abs(a - *from) < std::abs(b - *from);
    });
  }
  std::optional<double> below = from, above = from;  // the farthest that were tried on each side
  for (const double to : places) {
    const OwnedCell cell = cell_at(input, to);
    if (cell == row_.values()[input]) continue;
    Tried tried = try_cell(input, cell);
    if (tried.flips && (exact || !from)) return move_to(input, cell, std::move(tried), exact);
    if (tried.flips) {
      const OwnedCell nearest = bisected(input, to < *from ? *below : *above, to);
      return move_to(input, nearest, try_cell(input, nearest), false);
    }
    if (from) (to < *from ? below : above) = to;
  }
  return exact ? "no value flips it" : "no value that was tried flips it";
}

std::variant<Move, std::string> MoveSearch::of(std::size_t input) const {
  const ColumnKind kind = model_.inputs()[input].kind;
  const bool plain = model_.transform() == nullptr;
  if (kind == ColumnKind::boolean) return among(input, {false, true});
  if (kind == ColumnKind::text) {
    const auto& words = model_.domains()[input].values;
    if (words.empty()) return "not searched: it takes any text";
    return among(input, {words.begin(), words.end()});
  }
  if (plain && model_.has_trees()) return along(input, places_of_trees(input), true);
  bool exact = false;
  const std::vector<double> places = places_of_range(input, exact);
  if (places.empty()) return "not searched: the model does not say what range training saw";
  return along(input, places, exact);
}

}  // namespace pipelined::evaluation
