// model list, show, history, alias, rollback, tag, note.
#include "cli/commands/models.h"

#include <ostream>

#include "cli/decisions.h"

namespace pipelined::cli {
namespace {

std::string model_target(const std::string& model, const std::string& rest = {}) {
  return "/api/v1/models/" + protocol::percent_encode(model) + rest;
}

void print_aliases(Session& session, const std::vector<protocol::ModelAlias>& aliases) {
  Table table = session.table({{"ALIAS"}, {"VERSION"}});
  for (const protocol::ModelAlias& one : aliases) table.add({one.alias, one.version});
  if (!aliases.empty()) session.print(table);
}

// "2026-10-03" is the end of that day in UTC: what stood then is what stood last on it.
std::string moment_of(const std::string& text) {
  const bool day = text.size() == 10 && text.find('T') == std::string::npos;
  return day ? text + "T23:59:59.999Z" : text;
}

int send_alias(Session& session, const protocol::ModelAliasRequest& request) {
  if (request.why.empty()) {
    return session.fail({ErrorCode::invalid, "to move an alias needs a reason, which is recorded "
                                             "beside your name: --why \"…\""});
  }
  return tell_done(session, session.ask<protocol::Done>(
                                "POST", model_target(session.arguments.text("NAME"), "/alias"),
                                protocol::to_json(request)));
}

int send_mark(Session& session, const protocol::ModelMarkRequest& request) {
  return tell_done(session, session.ask<protocol::Done>(
                                "POST", model_target(session.arguments.text("NAME"), "/marks"),
                                protocol::to_json(request)));
}

std::string told(const protocol::ModelMark& mark) {
  if (mark.kind == "alias") {
    return (mark.before.empty() ? "" : mark.before + " → ") +
           (mark.value.empty() ? "nothing" : mark.value) + (mark.rollback ? " (rollback)" : "");
  }
  if (mark.kind == "tag") return mark.name + " = " + mark.value;
  return mark.value;
}

}  // namespace

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out.empty() ? "-" : out;
}

Result<protocol::ModelVersionInfo> fetch_version(Session& session, const std::string& model,
                                                 const std::string& version) {
  return session.get<protocol::ModelVersionInfo>(
      model_target(model, "/versions/" + protocol::percent_encode(version)));
}

int run_model_list(Session& session) {
  const std::string name = session.arguments.text("NAME");
  if (name.empty()) {
    const auto list = session.get<protocol::ModelList>("/api/v1/models");
    if (!list) return session.fail(list.error());
    return session.show([&] {
      Table table = session.table({{"MODEL"}, {"NEWEST"}, {"REGISTERED"}, {"ALIASES"}});
      for (const protocol::ModelSummary& one : list->models) {
        std::vector<std::string> aliases;
        for (const auto& alias : one.aliases) aliases.push_back(alias.alias + "@" + alias.version);
        table.add({one.model, one.newest, short_time(one.at), joined(aliases)});
      }
      session.print(table);
      if (list->models.empty()) session.say("No model is registered.");
    });
  }
  const auto model = session.get<protocol::ModelDetail>(
      model_target(name, query_of({{"limit", session.arguments.text("limit")}})));
  if (!model) return session.fail(model.error());
  return session.show([&] {
    Table table = session.table({{"VERSION"}, {"REGISTERED"}, {"RUN", false, true}, {"ALIASES"},
                                 {"WHY"}});
    for (const protocol::ModelVersionInfo& one : model->versions) {
      table.add({one.version, short_time(one.at), std::to_string(one.run), joined(one.aliases),
                 one.reason.sentence});
    }
    session.print(table);
  });
}

int run_model_show(Session& session) {
  const auto found = fetch_version(session, session.arguments.text("NAME"),
                                   session.arguments.text("VERSION", "newest"));
  if (!found) return session.fail(found.error());
  return session.show([&] {
    const protocol::ModelVersionInfo& one = *found;
    session.terminal.out << session.safe(one.model + " " + one.version) << "  of run " << one.run
                         << ", step " << session.safe(one.step) << " of "
                         << session.safe(one.pipeline) << ", " << short_time(one.at) << "\n"
                         << "  number   " << session.safe(one.reason.sentence) << "\n"
                         << "  aliases  " << session.safe(joined(one.aliases)) << "\n";
    Table artifacts = session.table({{"PORT"}, {"TYPE"}, {"ARTIFACT"}});
    for (const protocol::ModelArtifact& artifact : one.artifacts) {
      artifacts.add({artifact.port, artifact.type, artifact.digest});
    }
    session.print(artifacts);
    Table facts = session.table({{"WHAT"}, {"NAME"}, {"VALUE"}});
    for (const ModelDifference& fact : compare_versions({}, one)) {
      facts.add({fact.topic, fact.name, fact.after});
    }
    session.print(facts);
    for (const protocol::ModelMark& mark : one.marks) {
      session.terminal.out << mark.kind << "  " << session.safe(told(mark)) << "  by "
                           << session.safe(mark.who) << ", " << short_time(mark.at) << "\n";
    }
  });
}

int run_model_history(Session& session) {
  const std::string at = session.arguments.text("at");
  const auto history = session.get<protocol::ModelHistory>(
      model_target(session.arguments.text("NAME"), "/history" + query_of({{"at", moment_of(at)}})));
  if (!history) return session.fail(history.error());
  return session.show([&] {
    print_aliases(session, history->aliases);
    Table table = session.table({{"TIME"}, {"WHAT"}, {"OF"}, {"BECAME"}, {"WHO"}, {"WHY"}});
    for (const protocol::ModelMark& mark : history->marks) {
      table.add({short_time(mark.at), mark.kind, mark.subject, told(mark), mark.who, mark.why});
    }
    session.print(table);
  });
}

int run_model_alias(Session& session) {
  return send_alias(session, {session.arguments.text("ALIAS"), session.arguments.text("VERSION"),
                              false, session.arguments.text("why")});
}

int run_model_rollback(Session& session) {
  return send_alias(session, {session.arguments.text("ALIAS", "champion"), "", true,
                              session.arguments.text("why")});
}

int run_model_tag(Session& session) {
  const std::string pair = session.arguments.text("KEY=VALUE");
  const std::size_t at = pair.find('=');
  if (at == std::string::npos) {
    return session.fail({ErrorCode::invalid, "a tag is KEY=VALUE; KEY= takes it away"});
  }
  return send_mark(session, {session.arguments.text("VERSION"), "tag", pair.substr(0, at),
                             pair.substr(at + 1), session.arguments.text("why")});
}

int run_model_note(Session& session) {
  return send_mark(session, {session.arguments.text("VERSION"), "note", "",
                             session.arguments.text("TEXT"), ""});
}

}  // namespace pipelined::cli
