// Handlers of the model registry.
#include <limits>

#include "daemon/api/asking.h"
#include "daemon/api/handlers.h"
#include "daemon/api/protocol_models.h"
#include "daemon/api/translate.h"
#include "daemon/store/models.h"

namespace pipelined::api {
namespace {

constexpr TimeMs always = std::numeric_limits<TimeMs>::max();
constexpr int marks_max = 10'000;

Error no_model(const std::string& model) {
  return {ErrorCode::not_found, "there is no model '" + model + "'; `pipectl model list` has them"};
}

std::vector<protocol::ModelAlias> aliases_of(Backend& backend, const std::string& model,
                                             TimeMs until) {
  std::vector<protocol::ModelAlias> aliases;
  for (auto& [alias, version] : list_aliases(backend.store(), model, until)) {
    aliases.push_back({alias, version});
  }
  return aliases;
}

protocol::ModelMark mark_of(const ModelMarkRow& row) {
  return {row.kind, row.subject, row.name, row.before, row.value, row.rollback, row.who, row.why,
          row.run,  {row.at}};
}

protocol::ModelVersionInfo info_of(const ModelVersionRow& row,
                                   const std::vector<protocol::ModelAlias>& aliases) {
  protocol::ModelVersionInfo info;
  info.model = row.model, info.version = row.version.text();
  info.pipeline = row.pipeline, info.step = row.step, info.run = row.run;
  info.at = {row.at};
  info.reason = {row.reason.code, row.reason.sentence, row.reason.details};
  for (const protocol::ModelAlias& alias : aliases) {
    if (alias.version == info.version) info.aliases.push_back(alias.alias);
  }
  for (const Binding& one : row.artifacts) {
    info.artifacts.push_back({one.port, one.artifact.digest.hex(), one.artifact.type,
                              one.artifact.size});
  }
  if (const ValueTable* facts = row.facts.as_table()) info.facts = *facts;
  return info;
}

/// The version that `{version}` means: a number, an alias or `newest`.
Result<ModelVersionRow> find_version(Backend& backend, const std::string& model,
                                     const std::string& word) {
  const auto newest = backend.store().newest_model(model);
  if (!newest) return no_model(model);
  if (word == "newest") return *newest;
  std::string number = word;
  for (const auto& [alias, version] : list_aliases(backend.store(), model, always)) {
    if (alias == word) number = version;
  }
  const auto version = parse_model_version(number);
  auto found = version ? backend.store().find_model(model, *version) : std::nullopt;
  if (found) return *std::move(found);
  return Error{ErrorCode::not_found, "model " + model + " has no version or alias '" + word +
                                         "'; its newest version is " + newest->version.text()};
}

}  // namespace

void get_models(Backend& backend, const Request&, const Respond& respond) {
  protocol::ModelList reply;
  for (const std::string& model : list_models(backend.store())) {
    const auto versions = list_model_versions(backend.store(), model, 1);
    if (versions.empty()) continue;
    reply.models.push_back({model, versions.front().version.text(),
                            aliases_of(backend, model, always), {versions.front().at}});
  }
  answer(respond, reply);
}

void get_model(Backend& backend, const Request& request, const Respond& respond) {
  const auto limit = asked_number(request, "limit", 50, 1, view_limit_max);
  if (!limit) return refuse(respond, limit.error());
  protocol::ModelDetail reply;
  reply.model = request.part("model");
  reply.aliases = aliases_of(backend, reply.model, always);
  for (const ModelVersionRow& row :
       list_model_versions(backend.store(), reply.model, static_cast<int>(*limit))) {
    reply.versions.push_back(info_of(row, reply.aliases));
  }
  if (reply.versions.empty()) return refuse(respond, no_model(reply.model));
  answer(respond, reply);
}

void get_model_version(Backend& backend, const Request& request, const Respond& respond) {
  const std::string& model = request.part("model");
  const auto row = find_version(backend, model, request.part("version"));
  if (!row) return refuse(respond, row.error());
  protocol::ModelVersionInfo reply = info_of(*row, aliases_of(backend, model, always));
  for (const ModelMarkRow& mark :
       backend.store().model_marks(model, "tag", row->version.text())) {
    std::erase_if(reply.marks, [&](const auto& other) { return other.name == mark.name; });
    if (!mark.value.empty()) reply.marks.push_back(mark_of(mark));
  }
  for (const char* kind : {"note", "again"}) {
    for (const ModelMarkRow& mark :
         backend.store().model_marks(model, kind, row->version.text())) {
      reply.marks.push_back(mark_of(mark));
    }
  }
  answer(respond, reply);
}

void get_model_history(Backend& backend, const Request& request, const Respond& respond) {
  protocol::ModelHistory reply;
  reply.model = request.part("model");
  TimeMs until = always;
  if (const std::string at = request.asked("at"); !at.empty()) {
    const auto time = protocol::parse_iso_time(at);
    if (!time) {
      return refuse(respond, {ErrorCode::invalid, "'" + at + "' is no time such as "
                                                  "2026-10-03T12:00:00Z"});
    }
    until = *time;
  }
  if (list_model_versions(backend.store(), reply.model, 1).empty()) {
    return refuse(respond, no_model(reply.model));
  }
  reply.aliases = aliases_of(backend, reply.model, until);
  for (const ModelMarkRow& row : list_model_marks(backend.store(), reply.model, until, marks_max)) {
    reply.marks.push_back(mark_of(row));
  }
  answer(respond, reply);
}

void post_model_alias(Backend& backend, const Request& request, const Respond& respond) {
  const auto body = read_body<protocol::ModelAliasRequest>(request);
  if (!body) return refuse(respond, body.error());
  if (body->why.find_first_not_of(" \t\n") == std::string::npos) {
    return refuse(respond, {ErrorCode::invalid, "to move an alias needs a reason: it is recorded "
                                                "beside your name"});
  }
  event::ModelMarkRequested wish;
  wish.wish.model = request.part("model"), wish.wish.kind = "alias";
  wish.wish.subject = body->alias, wish.wish.value = body->version;
  wish.wish.rollback = body->rollback, wish.wish.who = request.caller.who;
  wish.wish.why = body->why;
  submit(backend, std::move(wish), respond);
}

void post_model_mark(Backend& backend, const Request& request, const Respond& respond) {
  const auto body = read_body<protocol::ModelMarkRequest>(request);
  if (!body) return refuse(respond, body.error());
  if (body->kind != "tag" && body->kind != "note") {
    return refuse(respond, {ErrorCode::invalid, "'kind' is tag or note, not '" + body->kind + "'"});
  }
  if (body->kind == "note" && body->value.empty()) {
    return refuse(respond, {ErrorCode::invalid, "a note says something"});
  }
  const auto row = find_version(backend, request.part("model"), body->version);
  if (!row) return refuse(respond, row.error());
  event::ModelMarkRequested wish;
  wish.wish.model = row->model, wish.wish.kind = body->kind;
  wish.wish.subject = row->version.text(), wish.wish.name = body->name;
  wish.wish.value = body->value, wish.wish.who = request.caller.who, wish.wish.why = body->why;
  submit(backend, std::move(wish), respond);
}

}  // namespace pipelined::api
