#include <ostream>

#include "cli/commands/commands.h"
#include "dag/nearest_name.h"

namespace pipelined::cli {
namespace {

std::string port_words(const protocol::Port& port) {
  std::string words = port.many ? "many" : "one";
  if (port.optional) words += ", optional";
  if (port.evidence) words += ", evidence";
  if (!port.pass.empty()) words += ", passes " + port.pass + " on";
  return words;
}

void tell_one(Session& session, const protocol::Operator& info) {
  session.terminal.out << session.safe(info.id) << ", behaviour " << info.behaviour << ": "
                       << session.safe(info.summary) << "\n";
  Table ports = session.table({{"PORT"}, {"TYPE"}, {"KIND"}, {"WHAT"}});
  for (const protocol::Port& port : info.inputs) {
    ports.add({"in." + port.name, port.type, port_words(port), port.doc});
  }
  for (const protocol::Port& port : info.outputs) {
    ports.add({"out." + port.name, port.type, port_words(port), port.doc});
  }
  session.print(ports);
  Table params = session.table({{"PARAMETER"}, {"KIND"}, {"DEFAULT"}, {"WHAT"}});
  for (const protocol::Param& param : info.params) {
    params.add({param.name, param.kind,
                param.required ? "required"
                               : param.default_value.is_null() ? "-" : canonical(param.default_value),
                param.doc});
  }
  session.print(params);
}

}  // namespace

int run_operators(Session& session) {
  const auto list = session.get<protocol::OperatorList>("/api/v1/operators");
  if (!list) return session.fail(list.error());
  const std::string wanted = session.arguments.text("OPERATOR");
  std::vector<std::string> known;
  for (const protocol::Operator& info : list->operators) {
    known.push_back(info.id);
    if (info.id == wanted) return session.show([&] { tell_one(session, info); });
  }
  if (!wanted.empty()) {
    return session.fail({ErrorCode::not_found,
                         "there is no operator '" + wanted + "'" + did_you_mean(wanted, known)});
  }
  for (const std::string& problem : list->problems) session.say(problem);
  return session.show([&] {
    Table table = session.table({{"OPERATOR"}, {"BEHAVIOUR", true, true}, {"PLUGIN"}, {"WHAT"}});
    for (const protocol::Operator& info : list->operators) {
      table.add({info.id, std::to_string(info.behaviour),
                 info.plugin.empty() ? "built in" : info.plugin, info.summary});
    }
    session.print(table);
  });
}

}  // namespace pipelined::cli
