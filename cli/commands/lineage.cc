#include <filesystem>

#include "cli/commands/commands.h"
#include "dag/run_state.h"

namespace pipelined::cli {
namespace {

/// The words for a node's place: "train of run 7 (reused by 9, 12)" or "delivered as flights/2013-10".
std::string place_of(const protocol::LineageNode& node) {
  if (node.run == 0) return node.step + (node.element.empty() ? "" : "/" + node.element);
  return step_path(node.step, node.element) + (node.port.empty() ? "" : "." + node.port);
}

std::string runs_of(const protocol::LineageNode& node) {
  std::string text;
  for (const std::int64_t run : node.runs) text += (text.empty() ? "" : " ") + std::to_string(run);
  return text.empty() ? "-" : text;
}

/// What WHAT means to the daemon: a path that is there is made absolute.
std::string subject_of(const std::string& what) {
  std::error_code error;
  if (what.find('/') == std::string::npos || !std::filesystem::exists(what, error)) return what;
  return std::filesystem::absolute(what, error).lexically_normal().string();
}

}  // namespace

int run_lineage(Session& session) {
  const bool down = session.arguments.has("down");
  auto lineage = session.get<protocol::Lineage>(
      "/api/v1/lineage" + query_of({{"of", subject_of(session.arguments.text("WHAT"))},
                                    {"way", down ? "down" : ""}}));
  if (!lineage) return session.fail(lineage.error());
  if (const std::string type = session.arguments.text("type"); !type.empty()) {
    std::erase_if(lineage->nodes, [&](const auto& node) { return node.type != type; });
    session.replace_reply(*lineage);
  }
  return session.show([&] {
    Table table = session.table({{"DIGEST"}, {"TYPE"}, {"MADE BY"}, {"RUNS"}, {"FROM"},
                                 {"DELIVERED AS", true}});
    for (const protocol::LineageNode& node : lineage->nodes) {
      std::string from;
      for (const std::string& digest : node.from) from += (from.empty() ? "" : " ") + digest.substr(0, 12);
      table.add({node.digest.substr(0, 12), node.type, place_of(node), runs_of(node), from,
                 node.delivered.empty() ? "" : node.delivered.front()});
    }
    session.print(table);
    if (lineage->nodes.empty()) session.say("nothing of that type");
    if (lineage->more) session.say("there is more than is shown");
  });
}

}  // namespace pipelined::cli
