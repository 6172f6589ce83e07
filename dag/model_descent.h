// From a model back to what was delivered: the recipe, the data and the code of a version.
//
// Follows the steps as the pipeline wires them, so that of two steps with the same bytes the one counts
// that was read; only what the run took from elsewhere is looked up by its bytes.  Reads the ledger and
// puts nothing.  Lives within one turn of the engine.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "dag/engine_run.h"
#include "dag/ledger.h"
#include "dag/model_version.h"

namespace pipelined {

class ModelDescent {
 public:
  ModelDescent(Ledger& ledger, const Run& run,
               const std::map<std::string, PipelineState>& pipelines);

  /// Adds what stands behind the model that the step `reader` of the run has at its port `model`.
  void walk(const std::string& reader, const Digest& model, ModelFacts& facts);
  /// The deliveries that it came to, sorted: "flights/2013-01 version 1".
  const std::vector<std::string>& release() const { return release_; }

 private:
  /// An artifact as somebody reads it.
  struct Open {
    Digest digest;
    StepIndex made_by = no_step;  ///< the step of the run that made it; no_step: not known
    std::string reader, port;     ///< reader empty: the model itself
  };
  /// A result, under the name of the step that stands for it in the recipe.
  struct Maker {
    ResultRow result;
    StepIndex step = no_step;     ///< of the run; no_step: another's
    std::string name;
  };

  StepIndex maker_at(StepIndex reader, const std::string& port) const;
  std::vector<Maker> makers_of(const Open& open);
  StepIndex like(const ResultRow& result) const;
  void open(const Digest& digest, StepIndex reader, const std::string& name,
            const std::string& port);
  void take(const Maker& maker, bool trained, ModelFacts& facts);
  void note_root(const Open& root, ModelFacts& facts);

  Ledger& ledger_;
  const Run& run_;
  std::unordered_map<Digest, std::string> delivered_;
  std::map<std::pair<StepIndex, Digest>, std::vector<std::int64_t>> own_;
  std::deque<Open> open_;
  std::set<std::tuple<Digest, StepIndex>> seen_;
  std::set<std::pair<std::int64_t, std::string>> taken_;  ///< results, by the step they stand for
  std::vector<std::string> release_, roots_;
};

}  // namespace pipelined
