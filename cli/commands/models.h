// The verbs of the model registry, and what they share.
//
// Like commands.h, for one subject.  A model is called by its name, a version by number, alias or
// `newest`.  One thread.
#pragma once

#include "cli/session.h"
#include "daemon/api/protocol_models.h"

namespace pipelined::cli {

int run_model_list(Session& session);
int run_model_show(Session& session);
int run_model_history(Session& session);
int run_model_alias(Session& session);
int run_model_rollback(Session& session);
int run_model_tag(Session& session);
int run_model_note(Session& session);
int run_model_diff(Session& session);
int run_model_card(Session& session);
int run_model_whatif(Session& session);
int run_model_verify(Session& session);
int run_model_export(Session& session);

/// Everything that is recorded of a version.
Result<protocol::ModelVersionInfo> fetch_version(Session& session, const std::string& model,
                                                 const std::string& version);

/// "champion, candidate", or "-" for none.
std::string joined(const std::vector<std::string>& words);

/// One difference between two versions.
struct ModelDifference {
  std::string topic;               ///< signature, recipe, hyperparameter, data, metric, code
  std::string name, before, after; ///< empty: not there
};
/// What differs between two versions, topic by topic, in the order of names.
std::vector<ModelDifference> compare_versions(const protocol::ModelVersionInfo& before,
                                              const protocol::ModelVersionInfo& after);

/// A version as one HTML page that needs nothing else.
std::string model_card_html(const protocol::ModelVersionInfo& version);

/// The file MLmodel of an exported version, as MLflow reads it.  Nothing is said of a signature where
/// no version is given.
std::string mlflow_description(const protocol::ModelVersionInfo* version);

}  // namespace pipelined::cli
