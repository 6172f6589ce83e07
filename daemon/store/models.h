// The model registry as people ask for it: names, versions, aliases and marks.
//
// Reads only; rows come from the engine through the ledger (dag/model_records.h).  Loop thread.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/store/store.h"

namespace pipelined {

/// All names of models, sorted.
std::vector<std::string> list_models(Store& store);
/// The versions of a model, highest first, at most `limit`; without facts and artifacts.
std::vector<ModelVersionRow> list_model_versions(Store& store, const std::string& model, int limit);
/// Marks of a model that were made until `until`, newest first, at most `limit`.
std::vector<ModelMarkRow> list_model_marks(Store& store, const std::string& model, TimeMs until,
                                           int limit);
/// What each alias pointed at then, by name; those that pointed at nothing are left out.
std::vector<std::pair<std::string, std::string>> list_aliases(Store& store,
                                                              const std::string& model,
                                                              TimeMs until);

}  // namespace pipelined
