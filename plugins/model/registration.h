// What a step says of a model that it wants registered: the arguments of its request.
//
// Made from the texts of model.json and evaluation.json and the step's parameters alone.  Which number
// the version gets is the daemon's to say.  Knows nothing of folders, ports or records.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dag/result.h"

namespace pipelined::evaluation {

/// What the step's parameters say.
struct RegistrationWish {
  std::string name;                  ///< of the model
  std::string at_least;              ///< a version; empty: by rule alone
  std::vector<std::string> aliases;  ///< to be pointed at the new version
  std::string notes;                 ///< for people
};

/// What was said of the model elsewhere, as JSON texts.
struct ModelEvidence {
  std::optional<std::string> evaluation, explanation;
};

/// The JSON of the request: name, signature, architecture, hyperparameters, training; with an
/// evaluation its blessing, with an explanation how much each feature counts.  Errors (invalid): a
/// text that is none of the kind, with what is missing.
Result<std::string> registration_json(const RegistrationWish& wish, std::string_view model_json,
                                      const ModelEvidence& evidence);

}  // namespace pipelined::evaluation
