// A version of a model on one page: what it is, what it was made of, how good it is, who said yes.
#include <fstream>
#include <ostream>

#include "cli/commands/models.h"

namespace pipelined::cli {
namespace {

std::string html(const std::string& text) {
  std::string out;
  for (const char c : escaped(text, true)) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

constexpr const char* style =
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;"
    "color-scheme:light dark}table{border-collapse:collapse;width:100%}"
    "td,th{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #8884;vertical-align:top;"
    "overflow-wrap:anywhere}h2{margin-top:2rem}small{opacity:.7}";

class Page {
 public:
  void heading(const std::string& text) { text_ += "<h2>" + html(text) + "</h2>\n"; }
  void paragraph(const std::string& text) { text_ += "<p>" + html(text) + "</p>\n"; }
  void table(const std::vector<std::string>& head,
             const std::vector<std::vector<std::string>>& rows) {
    text_ += "<table><tr>";
    for (const std::string& cell : head) text_ += "<th>" + html(cell) + "</th>";
    text_ += "</tr>\n";
    for (const auto& row : rows) {
      text_ += "<tr>";
      for (const std::string& cell : row) text_ += "<td>" + html(cell) + "</td>";
      text_ += "</tr>\n";
    }
    text_ += "</table>\n";
  }
  std::string done(const std::string& title) const {
    return "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>" + html(title) +
           "</title><style>" + style + "</style></head><body>\n<h1>" + html(title) + "</h1>\n" +
           text_ + "</body></html>\n";
  }

 private:
  std::string text_;
};

std::string text_at(const ValueTable& table, const char* name) {
  const auto found = table.find(name);
  if (found == table.end()) return "";
  return found->second.as_text() != nullptr ? *found->second.as_text() : canonical(found->second);
}

void add_approvals(Page& page, const ValueTable& facts) {
  const auto found = facts.find("approvals");
  const ValueList* list = found == facts.end() ? nullptr : found->second.as_list();
  page.heading("Approvals");
  if (list == nullptr || list->empty()) return page.paragraph("No person reviewed this version.");
  std::vector<std::vector<std::string>> rows;
  for (const Value& item : *list) {
    const ValueTable* one = item.as_table();
    if (one != nullptr) rows.push_back({text_at(*one, "who"), text_at(*one, "why")});
  }
  page.table({"Who", "Why"}, rows);
}

}  // namespace

std::string model_card_html(const protocol::ModelVersionInfo& version) {
  Page page;
  page.paragraph("Registered " + short_time(version.at) + " UTC by run " +
                 std::to_string(version.run) + " of pipeline " + version.pipeline + ". Number: " +
                 version.reason.sentence + ".");
  if (!version.aliases.empty()) page.paragraph("Aliases: " + joined(version.aliases));
  if (const std::string notes = text_at(version.facts, "notes"); !notes.empty()) {
    page.paragraph(notes);
  }
  std::string topic;
  std::vector<std::vector<std::string>> rows;
  const auto flush = [&] {
    if (rows.empty()) return;
    page.heading(static_cast<char>(topic.front() - 'a' + 'A') + topic.substr(1));
    page.table({"Name", "Value"}, rows);
    rows.clear();
  };
  for (const ModelDifference& fact : compare_versions({}, version)) {
    if (fact.topic != topic) flush();
    topic = fact.topic;
    rows.push_back({fact.name, fact.after == "there" ? "" : fact.after});
  }
  flush();
  add_approvals(page, version.facts);
  page.heading("Artifacts");
  for (const protocol::ModelArtifact& one : version.artifacts) {
    rows.push_back({one.port, one.type, one.digest});
  }
  page.table({"Port", "Type", "SHA-256"}, rows);
  rows.clear();
  for (const protocol::ModelMark& mark : version.marks) {
    rows.push_back({mark.kind, mark.name.empty() ? mark.value : mark.name + " = " + mark.value,
                    mark.who, short_time(mark.at)});
  }
  if (!rows.empty()) page.heading("Said of it"), page.table({"Kind", "What", "Who", "When"}, rows);
  return page.done(version.model + " " + version.version);
}

int run_model_card(Session& session) {
  const auto version = fetch_version(session, session.arguments.text("NAME"),
                                     session.arguments.text("VERSION", "newest"));
  if (!version) return session.fail(version.error());
  if (session.format == Format::json || session.format == Format::yaml) {
    return session.show([] {});
  }
  const std::string page = model_card_html(*version);
  const std::string path = session.arguments.text("to");
  if (path.empty()) {
    session.terminal.out << page;
    return exit_done;
  }
  std::ofstream stream(path, std::ios::binary);
  stream << page;
  if (!stream.flush()) return session.fail({ErrorCode::io, "cannot write the card to " + path});
  session.say("The card of " + version->model + " " + version->version + " is in " + path + ".");
  return exit_done;
}

}  // namespace pipelined::cli
