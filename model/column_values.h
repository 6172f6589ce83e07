// The cells of a row as a transform sees them: numbers, words and moments.
//
// One reading for analysis, training, evaluation and serving: what a cell of a column means, whether
// it came from a table or from a request.  Pure functions.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "dag/result.h"
#include "model/encoding.h"
#include "model/feature_spec.h"

namespace pipelined::model {

/// Numbers beyond this count as infinite: their squares would not fit.
inline constexpr double number_max = 1e150;

/// A number as it is scaled: clipped and logged.  Nothing for null, not-a-number, what is infinite
/// and stays so after clipping, and what has no logarithm (log is log1p: below or at -1).
Result<std::optional<double>> number_of(const Cell& cell, const ColumnInput& column,
                                        const FeatureSpec& spec);

/// A category as a word: a text itself, whole numbers as digits, true and false; nothing for null.
Result<std::optional<std::string>> word_of(const Cell& cell, const ColumnInput& column);

/// The words of several columns as one, divided by the byte 31; nothing if one is null.
/// REQUIRES: as many cells as columns.
Result<std::optional<std::string>> cross_of(std::span<const Cell> cells,
                                            std::span<const ColumnInput> columns);

/// A text; nothing for null.
Result<std::optional<std::string_view>> text_of(const Cell& cell, const ColumnInput& column);

/// Microseconds since 1970; nothing for null.  Dates and times come as days and microseconds from
/// tables, as texts from requests.
Result<std::optional<std::int64_t>> moment_of_cell(const Cell& cell, const ColumnInput& column);

/// The words that one value of a feature holds, for methods that count words; none for null.
Result<std::vector<std::string>> words_in(std::span<const Cell> cells,
                                          std::span<const ColumnInput> columns,
                                          const FeatureSpec& spec);

/// A word as people read it: the parts of a cross joined by " × ".
std::string readable_word(const std::string& word);

}  // namespace pipelined::model
