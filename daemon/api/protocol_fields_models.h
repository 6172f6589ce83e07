// The fields of what travels about the model registry: a part of protocol_fields.h.
//
// Private to the codec like that one.  Nothing here decides anything.
#pragma once

#include "daemon/api/protocol_models.h"

namespace pipelined::protocol {

template <class V>
void fields(V& visit, ModelAlias& x) {
  visit("alias", x.alias), visit("version", x.version);
}
template <class V>
void fields(V& visit, ModelSummary& x) {
  visit("model", x.model), visit("newest", x.newest), visit("aliases", x.aliases);
  visit("at", x.at);
}
template <class V>
void fields(V& visit, ModelList& x) {
  visit("models", x.models);
}
template <class V>
void fields(V& visit, ModelMark& x) {
  visit("kind", x.kind), visit("subject", x.subject), visit("name", x.name);
  visit("before", x.before), visit("value", x.value), visit("rollback", x.rollback);
  visit("who", x.who), visit("why", x.why), visit("run", x.run), visit("at", x.at);
}
template <class V>
void fields(V& visit, ModelArtifact& x) {
  visit("port", x.port), visit("digest", x.digest), visit("type", x.type), visit("size", x.size);
}
template <class V>
void fields(V& visit, ModelVersionInfo& x) {
  visit("model", x.model), visit("version", x.version), visit("pipeline", x.pipeline);
  visit("step", x.step), visit("run", x.run), visit("at", x.at), visit("reason", x.reason);
  visit("aliases", x.aliases), visit("artifacts", x.artifacts), visit("facts", x.facts);
  visit("marks", x.marks);
}
template <class V>
void fields(V& visit, ModelDetail& x) {
  visit("model", x.model), visit("aliases", x.aliases), visit("versions", x.versions);
}
template <class V>
void fields(V& visit, ModelHistory& x) {
  visit("model", x.model), visit("aliases", x.aliases), visit("marks", x.marks);
}
template <class V>
void fields(V& visit, ModelDiff& x) {
  visit("model", x.model), visit("before", x.before), visit("after", x.after);
  visit("lines", x.lines);
}
template <class V>
void fields(V& visit, ModelAliasRequest& x) {
  visit("alias", x.alias), visit("version", x.version), visit("rollback", x.rollback);
  visit("why", x.why);
}
template <class V>
void fields(V& visit, ModelMarkRequest& x) {
  visit("version", x.version), visit("kind", x.kind), visit("name", x.name);
  visit("value", x.value), visit("why", x.why);
}

}  // namespace pipelined::protocol
