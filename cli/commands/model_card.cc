// A version of a model on one page: what it is, what it was made of, how good it is, who said yes.
#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <map>
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

constexpr const char* page_style =
    ":root{color-scheme:light dark;--line:#8884;--soft:#8881;--accent:#2f6fb5;--good:#1a7f4b;"
    "--bad:#b3372f}*{box-sizing:border-box}"
    "body{font:15px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem}"
    "h1{margin:0 0 .2rem;font-size:1.8rem}h2{margin:2.2rem 0 .5rem;font-size:1.15rem}"
    ".lead{opacity:.75;margin:.2rem 0}.state{display:inline-block;padding:.1rem .6rem;"
    "border-radius:1rem;border:1px solid;font-weight:600}.good{color:var(--good)}"
    ".bad{color:var(--bad)}.scroll{overflow-x:auto}"
    "table{border-collapse:collapse;width:100%}th{font-weight:600;background:var(--soft)}"
    "td,th{text-align:left;padding:.3rem .6rem;border-bottom:1px solid var(--line);"
    "vertical-align:top;overflow-wrap:anywhere}.scroll th,.scroll td{overflow-wrap:normal}"
    ".scroll td:first-child{white-space:nowrap}"
    ".number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}"
    "td.bar{width:45%}td.bar div{height:.8rem;margin-top:.35rem;border-radius:2px;"
    "background:var(--accent)}.digest{font:12px/1.7 ui-monospace,monospace}";

/// A cell: its text, and the class that styles it.
struct Cell {
  std::string text, style = {};
};

class Page {
 public:
  void heading(const std::string& text) { text_ += "<h2>" + html(text) + "</h2>\n"; }
  void paragraph(const std::string& text, const std::string& style = "") {
    text_ += (style.empty() ? "<p>" : "<p class=\"" + style + "\">") + html(text) + "</p>\n";
  }
  void state(bool good, const std::string& word, const std::string& sentence) {
    text_ += std::string("<p><span class=\"state ") + (good ? "good" : "bad") + "\">" + html(word) +
             "</span> " + html(sentence) + "</p>\n";
  }
  void table(const std::vector<Cell>& head, const std::vector<std::vector<Cell>>& rows,
             bool wide = false) {
    text_ += wide ? "<div class=\"scroll\"><table>" : "<table>";
    row("th", head);
    for (const auto& cells : rows) row("td", cells);
    text_ += wide ? "</table></div>\n" : "</table>\n";
  }
  std::string done(const std::string& title) const {
    return "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
           "content=\"width=device-width\"><title>" + html(title) + "</title><style>" + page_style +
           "</style></head><body>\n<h1>" + html(title) + "</h1>\n" + text_ + "</body></html>\n";
  }

 private:
  void row(const std::string& element, const std::vector<Cell>& cells) {
    text_ += "<tr>";
    for (const Cell& cell : cells) {
      text_ += "<" + element + (cell.style.empty() ? ">" : " class=\"" + cell.style + "\">");
      const bool bar = cell.style == "bar" && element == "td";
      text_ += bar ? "<div style=\"width:" + cell.text + "%\"></div>" : html(cell.text);
      text_ += "</" + element + ">";
    }
    text_ += "</tr>\n";
  }

  std::string text_;
};

std::string text_at(const ValueTable& table, const char* name) {
  const auto found = table.find(name);
  if (found == table.end()) return "";
  return found->second.as_text() != nullptr ? *found->second.as_text() : canonical(found->second);
}

const ValueList& list_at(const ValueTable& table, const char* name) {
  static const ValueList none;
  const auto found = table.find(name);
  const ValueList* list = found == table.end() ? nullptr : found->second.as_list();
  return list == nullptr ? none : *list;
}

std::string rounded(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.4g", value);
  return text.data();
}

double number_in(const ValueTable& table, const char* name) {
  const auto found = table.find(name);
  if (found == table.end()) return 0;
  if (found->second.as_int() != nullptr) return static_cast<double>(*found->second.as_int());
  return found->second.as_double() != nullptr ? *found->second.as_double() : 0;
}

void add_blessing(Page& page, const ValueTable& facts) {
  const auto found = facts.find("blessing");
  const ValueTable* blessing = found == facts.end() ? nullptr : found->second.as_table();
  const auto said = blessing == nullptr ? ValueTable::const_iterator() : blessing->find("blessed");
  if (blessing == nullptr || said == blessing->end()) return;
  const bool good = said->second.as_bool() != nullptr && *said->second.as_bool();
  page.state(good, good ? "Blessed" : "Not blessed", text_at(*blessing, "sentence"));
  std::vector<std::vector<Cell>> rows;
  for (const Value& item : list_at(*blessing, "reasons")) {
    const ValueTable* one = item.as_table();
    if (one == nullptr) continue;
    const bool held = text_at(*one, "passed") == "true";
    rows.push_back({{held ? "holds" : "fails", held ? "good" : "bad"}, {text_at(*one, "sentence")}});
  }
  if (!rows.empty()) page.table({{"Required"}, {"What"}}, rows);
}

// A long list in two columns, read downwards.
void add_pairs(Page& page, const std::vector<std::vector<Cell>>& pairs) {
  const std::size_t half = (pairs.size() + 1) / 2;
  std::vector<std::vector<Cell>> rows;
  for (std::size_t i = 0; i < half; ++i) {
    rows.push_back(pairs[i]);
    const bool both = i + half < pairs.size();
    for (std::size_t j = 0; j < 2; ++j) {
      rows.back().push_back(both ? pairs[i + half][j] : Cell{});
    }
  }
  page.table({{"Of all rows"}, {"", "number"}, {""}, {"", "number"}}, rows);
}

// All rows as a list; slices as a table with a column a metric.
void add_metrics(Page& page, const ValueTable& facts) {
  std::vector<std::string> names, slices;
  std::map<std::pair<std::string, std::string>, double> values;
  for (const Value& item : list_at(facts, "metrics")) {
    const ValueTable* one = item.as_table();
    if (one == nullptr || text_at(*one, "name") == "blessed") continue;
    const std::string name = text_at(*one, "name"), slice = text_at(*one, "slice");
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    if (std::find(slices.begin(), slices.end(), slice) == slices.end()) slices.push_back(slice);
    values[{slice, name}] = number_in(*one, "value");
  }
  std::vector<std::vector<Cell>> rows;
  for (const std::string& name : names) {
    const auto found = values.find({"", name});
    if (found != values.end()) rows.push_back({{name}, {rounded(found->second), "number"}});
  }
  if (!rows.empty()) page.heading("Metrics"), add_pairs(page, rows);
  rows.clear();
  std::vector<Cell> head{{"Slice"}};
  for (const std::string& name : names) {
    const bool sliced = std::any_of(values.begin(), values.end(), [&](const auto& one) {
      return one.first.second == name && !one.first.first.empty();
    });
    if (sliced) head.push_back({name, "number"});
  }
  for (const std::string& slice : slices) {
    rows.push_back({{slice.empty() ? "all rows" : slice}});
    for (std::size_t i = 1; i < head.size(); ++i) {
      const auto found = values.find({slice, head[i].text});
      rows.back().push_back({found == values.end() ? "-" : rounded(found->second), "number"});
    }
  }
  if (head.size() > 1) page.heading("Slices"), page.table(head, rows, true);
}

void add_importance(Page& page, const ValueTable& facts) {
  const auto found = facts.find("importance");
  const ValueTable* table = found == facts.end() ? nullptr : found->second.as_table();
  if (table == nullptr || table->empty()) return;
  std::vector<std::pair<double, std::string>> sorted;
  for (const auto& [name, value] : *table) sorted.emplace_back(number_in(*table, name.c_str()), name);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<std::vector<Cell>> rows;
  for (const auto& [value, name] : sorted) {
    const double share = sorted.front().first > 0 ? 100 * value / sorted.front().first : 0;
    rows.push_back({{name}, {rounded(value), "number"}, {rounded(share), "bar"}});
  }
  page.heading("Feature importance");
  page.paragraph("The mean size of each feature's Shapley values.", "lead");
  page.table({{"Feature"}, {"Value", "number"}, {"", "bar"}}, rows);
}

void add_approvals(Page& page, const ValueTable& facts) {
  page.heading("Approvals");
  std::vector<std::vector<Cell>> rows;
  for (const Value& item : list_at(facts, "approvals")) {
    const ValueTable* one = item.as_table();
    if (one != nullptr) rows.push_back({{text_at(*one, "who")}, {text_at(*one, "why")}});
  }
  if (rows.empty()) return page.paragraph("No person reviewed this version.");
  page.table({{"Who"}, {"Why"}}, rows);
}

// Signature, recipe, data and code: what compare_versions says of a version beside nothing.
void add_facts(Page& page, const protocol::ModelVersionInfo& version) {
  std::string topic;
  std::vector<std::vector<Cell>> rows;
  const auto flush = [&] {
    if (rows.empty()) return;
    page.heading(static_cast<char>(topic.front() - 'a' + 'A') + topic.substr(1));
    if (rows.front().size() == 1) page.table({{"Name"}}, rows);
    else page.table({{"Name"}, {"Value"}}, rows);
    rows.clear();
  };
  for (const ModelDifference& fact : compare_versions({}, version)) {
    if (fact.topic == "metric" || fact.topic == "importance") continue;
    if (fact.topic != topic) flush();
    topic = fact.topic;
    if (fact.after == "there") rows.push_back({{fact.name, topic == "data" ? "digest" : ""}});
    else rows.push_back({{fact.name}, {fact.after}});
  }
  flush();
}

}  // namespace

std::string model_card_html(const protocol::ModelVersionInfo& version) {
  Page page;
  page.paragraph("Registered " + short_time(version.at) + " UTC by run " +
                 std::to_string(version.run) + " of pipeline " + version.pipeline +
                 (version.aliases.empty() ? "" : " · " + joined(version.aliases)), "lead");
  page.paragraph("Number: " + version.reason.sentence + ".", "lead");
  if (const std::string notes = text_at(version.facts, "notes"); !notes.empty()) {
    page.paragraph(notes);
  }
  add_blessing(page, version.facts);
  add_importance(page, version.facts);
  add_metrics(page, version.facts);
  add_approvals(page, version.facts);
  add_facts(page, version);
  page.heading("Artifacts");
  std::vector<std::vector<Cell>> rows;
  for (const protocol::ModelArtifact& one : version.artifacts) {
    rows.push_back({{one.port}, {one.type}, {one.digest, "digest"}});
  }
  page.table({{"Port"}, {"Type"}, {"SHA-256"}}, rows);
  rows.clear();
  for (const protocol::ModelMark& mark : version.marks) {
    rows.push_back({{mark.kind}, {mark.name.empty() ? mark.value : mark.name + " = " + mark.value},
                    {mark.who}, {short_time(mark.at)}});
  }
  if (!rows.empty()) {
    page.heading("Said of it");
    page.table({{"Kind"}, {"What"}, {"Who"}, {"When"}}, rows);
  }
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
