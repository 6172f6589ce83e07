// What the parameters of model.evaluate say, read and checked.
//
// Knows the words of the parameters and nothing of rows or models.  Plain values.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "operators/sdk.h"
#include "plugins/model/blessing.h"
#include "plugins/model/slices.h"

namespace pipelined::evaluation {

struct EvaluateSettings {
  MeasureOptions measure;                        ///< thresholds and recalls
  std::vector<std::vector<std::string>> slices;  ///< columns; several: crossed
  std::map<std::string, Buckets> buckets;        ///< by column
  std::map<std::string, std::string> where;      ///< predicates in SQL by name
  std::int64_t slice_rows_min = 1;               ///< smaller slices are listed, not measured
  std::vector<std::string> fairness;             ///< columns whose groups are compared
  std::map<std::string, std::string> reference;  ///< group to compare with, by column
  Resampling resampling;
  std::vector<Requirement> require;
  std::vector<std::string> keep;
};

/// Reads all parameters; an error names the parameter and what is wrong with it.
Result<EvaluateSettings> read_settings(const sdk::Context& context);

}  // namespace pipelined::evaluation
