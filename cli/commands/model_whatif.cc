// model whatif: a row scored before and after, what contributed, what would flip the decision.
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <ostream>

#include "cli/commands/models.h"
#include "cli/local_model.h"
#include "dag/value_entries.h"
#include "operators/value_json.h"

namespace pipelined::cli {
namespace {

constexpr std::size_t features_shown_max = 20;

std::string text_at(const Value& value, const char* name) {
  const Value* found = entry_in(value, name);
  if (found == nullptr) return "";
  return found->as_text() != nullptr ? *found->as_text() : canonical(*found);
}

const ValueList& list_at(const Value& value, const char* name) {
  static const ValueList none;
  const Value* found = entry_in(value, name);
  return found != nullptr && found->as_list() != nullptr ? *found->as_list() : none;
}

std::optional<double> number_of(const Value& value) {
  if (value.as_int() != nullptr) return static_cast<double>(*value.as_int());
  if (value.as_double() != nullptr) return *value.as_double();
  return std::nullopt;
}

std::string rounded(const Value* value, const char* format = "%.4g") {
  const auto number = value == nullptr ? std::nullopt : number_of(*value);
  if (!number) return "-";
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), format, *number);
  return text.data();
}

// A value of a row; nothing stands for one that is missing.
std::string cell_text(const Value* value) {
  if (value == nullptr || value->is_null()) return "-";
  return value->as_text() != nullptr ? *value->as_text() : canonical(*value);
}

std::string scores_text(const Value& found, const Value& side) {
  const ValueList &scores = list_at(side, "scores"), &classes = list_at(found, "classes");
  if (classes.empty()) return rounded(scores.empty() ? nullptr : &scores.front());
  std::string text;
  for (std::size_t i = 0; i < scores.size() && i < classes.size() && i < 8; ++i) {
    text += (i == 0 ? "" : ", ") + cell_text(&classes[i]) + " " + rounded(&scores[i]);
  }
  return text + (classes.size() > 8 ? ", …" : "");
}

std::string side_text(const Value& found, const Value& side) {
  const std::string decision = text_at(side, "decision"), scores = scores_text(found, side);
  return decision.empty() ? scores : decision + " (" + scores + ")";
}

struct Asked {
  ValueTable params;
  std::string of;  ///< "row 3 of flights.csv"
};

std::string wrong_json(const std::string& text) {
  return "--row takes a JSON object such as '{\"humid\": 80}', a file that holds one, or the number "
         "of a row, not '" + (text.size() > 60 ? text.substr(0, 57) + "…" : text) + "'";
}

Result<Asked> asked_row(Session& session) {
  std::string row = session.arguments.text("row");
  if (row.empty()) {
    return Error{ErrorCode::invalid, "model whatif: --row says which row: '{\"humid\": 80, …}', a "
                                     "file, or the number of a row of --data"};
  }
  Asked asked;
  std::int64_t number = 0;
  const auto read = std::from_chars(row.data(), row.data() + row.size(), number);
  if (read.ec == std::errc() && read.ptr == row.data() + row.size()) {
    if (number < 1) return Error{ErrorCode::invalid, "rows are numbered from 1 on"};
    asked.params["number"] = number;
    const std::string data = session.arguments.text("data", "the golden rows");
    asked.of = "row " + std::to_string(number) + " of " + data;
    return asked;
  }
  asked.of = "the row";
  if (row.front() != '{') {
    std::ifstream file(row, std::ios::binary);
    if (!file) return Error{ErrorCode::invalid, wrong_json(row)};
    row.assign(std::istreambuf_iterator<char>(file), {});
  }
  auto value = value_from_json(row);
  if (!value || value->as_table() == nullptr) return Error{ErrorCode::invalid, wrong_json(row)};
  asked.params["row"] = *std::move(value);
  return asked;
}

Result<void> add_options(Session& session, ValueTable& params) {
  ValueTable set;
  for (const std::string& pair : session.arguments.list("set")) {
    const std::size_t at = pair.find('=');
    if (at == std::string::npos || at == 0) {
      return Error{ErrorCode::invalid, "--set takes NAME=VALUE, not '" + pair + "'"};
    }
    set[pair.substr(0, at)] = pair.substr(at + 1);
  }
  params["set"] = std::move(set);
  const std::string threshold = session.arguments.text("threshold");
  if (threshold.empty()) return {};
  double number = 0;
  const auto read = std::from_chars(threshold.data(), threshold.data() + threshold.size(), number);
  if (read.ec != std::errc() || read.ptr != threshold.data() + threshold.size() ||
      !std::isfinite(number)) {
    return Error{ErrorCode::invalid, "--threshold takes a number, not '" + threshold + "'"};
  }
  params["threshold"] = number;
  return {};
}

void tell_scores(Session& session, const Value& found, const std::string& title) {
  const Value &before = *entry_in(found, "before"), &after = *entry_in(found, "after");
  std::ostream& out = session.terminal.out;
  out << session.safe(title + ": " + text_at(found, "label") + " is " + side_text(found, before))
      << "\n";
  std::string changed;
  for (const Value& input : list_at(found, "inputs")) {
    const Value *was = entry_in(input, "before"), *is = entry_in(input, "after");
    if (canonical(*was) == canonical(*is)) continue;
    changed += (changed.empty() ? "" : ", ") + text_at(input, "name") + " " + cell_text(was) +
               " → " + cell_text(is);
  }
  if (!changed.empty()) {
    out << session.safe("with " + changed + ": " + side_text(found, after)) << "\n";
  }
  for (const Value& input : list_at(found, "inputs")) {
    const std::string wrong = text_at(input, "outside");
    if (wrong.empty()) continue;
    out << session.safe("outside of what training saw: " + text_at(input, "name") + " " + wrong)
        << "\n";
  }
}

void tell_contributions(Session& session, const Value& found) {
  const Value* all = entry_in(found, "contributions");
  if (all == nullptr) {
    session.say("contributions are not known: " + text_at(found, "no_contributions"));
    return;
  }
  const std::string of = text_at(*all, "class");
  Table table = session.table({{of.empty() ? "FEATURE" : "FEATURE (for " + of + ")"},
                               {"BEFORE", false, true}, {"AFTER", false, true},
                               {"CHANGE", false, true}});
  const auto row = [&](const std::string& name, const Value* before, const Value* after) {
    const double change = number_of(*after).value_or(0) - number_of(*before).value_or(0);
    const Value difference(change);
    table.add({name, rounded(before, "%+.4f"), rounded(after, "%+.4f"),
               rounded(&difference, "%+.4f")});
  };
  std::size_t shown = 0;
  for (const Value& one : list_at(*all, "features")) {
    if (++shown > features_shown_max) break;
    row(text_at(one, "feature"), entry_in(one, "before"), entry_in(one, "after"));
  }
  row("(base)", entry_in(*all, "base_before"), entry_in(*all, "base_after"));
  session.print(table);
  if (shown > features_shown_max) session.say("more features stand in --json");
}

void tell_moves(Session& session, const Value& found) {
  if (const std::string none = text_at(found, "no_moves"); !none.empty()) {
    session.say("nothing to flip: " + none + " (--threshold)");
    return;
  }
  Table table = session.table({{"TO FLIP IT"}, {"FROM"}, {"TO"}, {"BY", false, true}, {"BECOMES"},
                               {"NOTE"}});
  for (const Value& move : list_at(found, "moves")) {
    std::string note = text_at(move, "exact") == "true" ? "" : "nearest that was found";
    if (const std::string others = text_at(move, "others"); !others.empty()) {
      note += (note.empty() ? "" : "; ") + others + " other value" + (others == "1" ? "" : "s") +
              " too";
    }
    if (!text_at(move, "outside").empty()) {
      note += std::string(note.empty() ? "" : "; ") + "outside of what training saw";
    }
    table.add({text_at(move, "input"), cell_text(entry_in(move, "from")), cell_text(entry_in(move, "to")),
               entry_in(move, "by") == nullptr ? "-" : rounded(entry_in(move, "by"), "%+.6g"),
               side_text(found, move), note});
  }
  for (const Value& one : list_at(found, "unmoved")) {
    table.add({text_at(one, "input"), "-", "-", "-", "-", text_at(one, "why")});
  }
  session.print(table);
}

Result<std::string> ask(Session& session, LocalRun& local, const LocalModel& model,
                        const Asked& asked) {
  LocalStep step{.operator_id = "model.whatif", .params = asked.params,
                 .inputs = {{"model", {model.model}}}, .outputs = {{"whatif", "whatif/1"}}};
  TRY_VOID(add_options(session, step.params));
  const std::string data = session.arguments.text("data");
  if (!data.empty()) {
    TRY(examples, local.examples({data}));
    step.inputs["examples"] = {examples};
  } else if (model.golden) {
    step.inputs["golden"] = {*model.golden};
  } else if (asked.params.contains("number")) {
    return Error{ErrorCode::invalid, model.title + " has no golden rows; --data names the table that "
                                                   "the row is of"};
  }
  TRY(ended, local.run(step));
  return local.text(ended.outputs.at("whatif"), "whatif.json");
}

}  // namespace

int run_model_whatif(Session& session) {
  const auto asked = asked_row(session);
  if (!asked) return session.fail(asked.error());
  auto local = LocalRun::begin(session.environment);
  if (!local) return session.fail(local.error());
  const auto model = local_model(session, *local);
  if (!model) return session.fail(model.error());
  const auto json = ask(session, *local, *model, *asked);
  if (!json) return session.fail(json.error());
  if (session.arguments.has("json") || session.format == Format::json) {
    session.terminal.out << *json;
    return exit_done;
  }
  const auto found = value_from_json(*json);
  if (!found) return session.fail(found.error());
  tell_scores(session, *found, model->title + ", " + asked->of);
  tell_contributions(session, *found);
  tell_moves(session, *found);
  return exit_done;
}

}  // namespace pipelined::cli
