// The rows of the model registry: versions that never change, and who pointed what where and when.
//
// Plain structs like those of records.h.  A version is put once.  Aliases, tags and notes are marks:
// rows that are only ever added, so that the newest says how it is and all of them how it came.
#pragma once

#include <string>
#include <vector>

#include "dag/digest.h"
#include "dag/model_version.h"
#include "dag/records.h"

namespace pipelined {

/// A registered version of a model.  Identity: (model, version); never changed.
struct ModelVersionRow {
  std::string model;
  ModelVersion version;
  Digest content;                 ///< of what scores: the model and its transform
  std::vector<Binding> artifacts; ///< what was registered, by port: model, evaluation, transform …
  Value facts;                    ///< a table: ModelFacts, and metrics, release, approvals …
  Reason reason;                  ///< why it has this number; the code is "first" or a rule's word
  std::string pipeline, step;
  RunNumber run = 0;
  std::int64_t result = 0;        ///< the result that carried the request
  TimeMs at = 0;
  std::int64_t seq = 0;
};

/// Something that was said of a model at a time.
struct ModelMarkRow {
  std::string model;
  std::string kind;               ///< registered again alias tag note
  std::string subject;            ///< of an alias its name, else a version
  std::string name;               ///< of a tag: its key
  std::string before, value;      ///< of an alias: versions; empty: none
  bool rollback = false;          ///< of an alias: it was pointed back
  std::string who, why;
  RunNumber run = 0;              ///< 0: no run's work
  TimeMs at = 0;
  std::int64_t seq = 0;
};

/// The version that an alias points at after these marks of it, oldest first; empty: none.
std::string aliased(const std::vector<ModelMarkRow>& marks);
/// Where a rollback of that alias would point it: what it pointed at before the change that made it
/// what it is; empty: there is nothing to go back to.
std::string before_alias(const std::vector<ModelMarkRow>& marks);

}  // namespace pipelined
