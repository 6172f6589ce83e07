#include "plugins/model/golden.h"

#include <arrow/record_batch.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <nlohmann/json.hpp>

#include "plugins/common/row_cells.h"
#include "plugins/model/resample.h"

namespace pipelined::evaluation {
namespace {

using model::ColumnInput;
using model::ColumnKind;
using nlohmann::json;

constexpr std::size_t words_of_a_text = 6;
constexpr std::uint64_t missing_of = 16;  // one value in so many is left out

json score_json(float score) {
  if (std::isnan(score)) return "NaN";
  if (std::isinf(score)) return score > 0 ? "Infinity" : "-Infinity";
  return static_cast<double>(score);
}

float score_in(const json& entry) {
  if (entry == "NaN") return std::nanf("");
  if (entry == "Infinity") return std::numeric_limits<float>::infinity();
  if (entry == "-Infinity") return -std::numeric_limits<float>::infinity();
  return static_cast<float>(entry.get<double>());
}

json scores_json(const std::vector<float>& scores) {
  json list = json::array();
  for (const float score : scores) list.push_back(score_json(score));
  return list;
}

std::string row_text(const GivenRow& row, std::span<const ColumnInput> inputs) {
  std::string text = "{";
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    text += (i == 0 ? "" : ", ") + json(inputs[i].name).dump() + ": " +
            json_of_cell(row.values()[i], inputs[i].kind);
  }
  return text + "}";
}

// As it is read back, with the scores of that.
Result<GoldenRow> settled(const model::Model& model, const GivenRow& row) {
  TRY(again, GivenRow::read(row_text(row, model.inputs()), model.inputs()));
  GoldenRow golden{std::move(again), std::vector<float>(model.signature().score_count())};
  TRY_VOID(model.score_cells(golden.row.cells(), golden.scores));
  return golden;
}

// Words that some feature learned from this column.
OwnedCell text_of_words(const model::Transform& transform, const std::string& column,
                        std::uint64_t draw) {
  for (std::size_t i = 0; i < transform.features().size(); ++i) {
    const auto& from = transform.features()[i].from;
    const auto& words = transform.fitted()[i].words;
    if (from.size() != 1 || from.front() != column || words.empty()) continue;
    std::string text;
    for (std::size_t k = 0; k < words_of_a_text; ++k) {
      draw = mixed(draw);
      text += (k == 0 ? "" : " ") + words[draw % words.size()];
    }
    return text;
  }
  return std::monostate();
}

OwnedCell made_cell(const model::Model& model, std::size_t input, std::uint64_t draw) {
  const model::InputDomain& domain = model.domains()[input];
  const ColumnKind kind = model.inputs()[input].kind;
  if (draw % missing_of == 0) return std::monostate();
  draw = mixed(draw);
  if (kind == ColumnKind::boolean) return draw % 2 == 0;
  if (kind == ColumnKind::text) {
    if (!domain.values.empty()) return domain.values[draw % domain.values.size()];
    if (model.transform() == nullptr) return std::monostate();
    return text_of_words(*model.transform(), domain.name, draw);
  }
  if (!domain.range) return std::monostate();
  const double share = static_cast<double>(draw >> 11) * 0x1.0p-53;
  const double place = domain.range->first + share * (domain.range->second - domain.range->first);
  if (kind == ColumnKind::real) return place;
  return static_cast<std::int64_t>(std::llround(place));
}

struct Candidate {
  std::uint64_t hash = 0;
  std::int64_t row = 0;
  GivenRow cells;

  bool operator<(const Candidate& other) const {
    return hash != other.hash ? hash < other.hash : row < other.row;
  }
};

bool alike(float expected, float got, double tolerance) {
  if (std::isnan(expected) || std::isnan(got)) return std::isnan(expected) == std::isnan(got);
  if (std::bit_cast<std::uint32_t>(expected) == std::bit_cast<std::uint32_t>(got)) return true;
  return std::abs(static_cast<double>(expected) - static_cast<double>(got)) <= tolerance &&
         tolerance > 0;
}

}  // namespace

Result<Golden> golden_of_examples(const model::Model& model, ExamplesReader& reader,
                                  std::uint64_t seed, const std::function<bool()>& stop_asked) {
  std::vector<Candidate> chosen;  // a heap: the one with the greatest hash goes first
  std::vector<model::Cell> cells(model.inputs().size());
  std::int64_t seen = 0;
  for (;;) {
    if (stop_asked()) return Error{ErrorCode::cancelled, "stopped while choosing golden rows"};
    TRY(batch, reader.next());
    if (!batch) break;
    TRY(bound, RowCells::bind(*batch, model.inputs()));
    for (std::int64_t row = 0; row < batch->num_rows(); ++row, ++seen) {
      const std::uint64_t hash = mixed(mixed(seed) + static_cast<std::uint64_t>(seen));
      if (chosen.size() == golden_rows_max && hash >= chosen.front().hash) continue;
      bound.read(row, cells);
      if (chosen.size() == golden_rows_max) {
        std::pop_heap(chosen.begin(), chosen.end());
        chosen.pop_back();
      }
      chosen.push_back({hash, seen, GivenRow::of(cells)});
      std::push_heap(chosen.begin(), chosen.end());
    }
  }
  if (chosen.empty()) return Error{ErrorCode::invalid, "there are no rows to keep as golden rows"};
  std::sort(chosen.begin(), chosen.end(),
            [](const Candidate& a, const Candidate& b) { return a.row < b.row; });
  Golden golden{"examples", {}};
  for (const Candidate& one : chosen) {
    auto row = settled(model, one.cells);
    if (!row) return row.error().within("row " + std::to_string(one.row + 1) + " of the examples");
    golden.rows.push_back(*std::move(row));
  }
  return golden;
}

Result<Golden> golden_of_signature(const model::Model& model, std::uint64_t seed) {
  Golden golden{"signature", {}};
  std::uint64_t draw = mixed(seed);
  const std::vector<model::Cell> nothing(model.inputs().size());
  for (std::size_t row = 0; row < golden_rows_max; ++row) {
    GivenRow cells = GivenRow::of(nothing);
    for (std::size_t input = 0; input < nothing.size(); ++input) {
      draw = mixed(draw + 1);
      cells.set(input, made_cell(model, input, draw));
    }
    TRY(settled_row, settled(model, cells));
    golden.rows.push_back(std::move(settled_row));
  }
  return golden;
}

std::string golden_json(const Golden& golden, std::span<const ColumnInput> inputs) {
  std::string text = "{\"source\": " + json(golden.source).dump() + ",\n \"rows\": [";
  for (std::size_t i = 0; i < golden.rows.size(); ++i) {
    text += (i == 0 ? "\n  {\"values\": " : ",\n  {\"values\": ") +
            row_text(golden.rows[i].row, inputs) +
            ", \"scores\": " + scores_json(golden.rows[i].scores).dump() + "}";
  }
  return text + "\n]}\n";
}

Result<Golden> parse_golden(std::string_view text, std::span<const ColumnInput> inputs) {
  try {
    const json document = json::parse(text);
    Golden golden{document.at("source").get<std::string>(), {}};
    for (const json& entry : document.at("rows")) {
      auto row = GivenRow::read(entry.at("values").dump(), inputs);
      if (!row) return row.error().within("golden row " + std::to_string(golden.rows.size() + 1));
      GoldenRow one{*std::move(row), {}};
      for (const json& score : entry.at("scores")) one.scores.push_back(score_in(score));
      golden.rows.push_back(std::move(one));
    }
    return golden;
  } catch (const std::exception& thrown) {
    return Error{ErrorCode::corrupt, std::string("cannot read golden.json: ") + thrown.what()};
  }
}

Verification verify(const model::Model& model, const Golden& golden, double tolerance) {
  Verification out;
  out.rows = golden.rows.size(), out.tolerance = tolerance;
  for (std::size_t i = 0; i < golden.rows.size(); ++i) {
    const GoldenRow& row = golden.rows[i];
    Deviation one{i + 1, row.scores, std::vector<float>(model.signature().score_count()), ""};
    const auto scored = model.score_cells(row.row.cells(), one.got);
    bool same = scored && one.got.size() == one.expected.size();
    if (!scored) one.refused = scored.error().message, one.got.clear();
    for (std::size_t k = 0; same && k < one.got.size(); ++k) {
      same = alike(one.expected[k], one.got[k], tolerance);
    }
    for (std::size_t k = 0; k < std::min(one.got.size(), one.expected.size()); ++k) {
      const double difference =
          std::abs(static_cast<double>(one.expected[k]) - static_cast<double>(one.got[k]));
      if (difference > out.greatest) out.greatest = difference;
    }
    if (!same) out.deviations.push_back(std::move(one));
  }
  return out;
}

std::string Verification::sentence() const {
  const std::string all = std::to_string(rows) + " golden rows";
  if (rows == 0) return "there are no golden rows: the model could not be scored when it came";
  if (deviations.empty()) {
    return all + " score as they did, " +
           (tolerance > 0 ? "to " + model::domain_text(ColumnKind::real, tolerance)
                          : std::string("bit for bit"));
  }
  const Deviation& first = deviations.front();
  std::string text = std::to_string(deviations.size()) + " of " + all + " score otherwise: row " +
                     std::to_string(first.row);
  if (!first.refused.empty()) return text + " is refused: " + first.refused;
  return text + " gave " + scores_json(first.expected).dump() + " and gives " +
         scores_json(first.got).dump();
}

std::string verification_json(const Verification& verification) {
  json rows = json::array();
  for (const Deviation& one : verification.deviations) {
    json entry{{"row", one.row}, {"expected", scores_json(one.expected)}};
    if (one.refused.empty()) entry["got"] = scores_json(one.got);
    else entry["refused"] = one.refused;
    rows.push_back(std::move(entry));
  }
  return json{{"rows", verification.rows},
              {"equal", verification.rows - verification.deviations.size()},
              {"tolerance", verification.tolerance},
              {"greatest_difference", verification.greatest},
              {"sentence", verification.sentence()},
              {"deviations", std::move(rows)}}
             .dump(2, ' ', false, json::error_handler_t::replace) +
         "\n";
}

}  // namespace pipelined::evaluation
