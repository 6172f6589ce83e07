#include <charconv>
#include <chrono>
#include <ostream>

#include "cli/commands/commands.h"
#include "cli/decisions.h"
#include "dag/run_state.h"
#include "dag/spec_words.h"

namespace pipelined::cli {
namespace {

bool is_run(const std::string& word) {
  return word == "last" || word.find_first_not_of("0123456789") == std::string::npos;
}

// "2h" from now, or an instant such as 2026-03-01T08:30:00Z.
Result<protocol::Time> read_until(const std::string& text) {
  using namespace std::chrono;
  if (const auto duration = parse_duration(text)) {
    return protocol::Time{
        duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count() + *duration};
  }
  if (const auto instant = protocol::parse_iso_time(text)) return protocol::Time{*instant};
  return Error{ErrorCode::invalid, "--until must be a duration such as 2h or a time such as "
                                   "2026-03-01T08:30:00Z, not '" + text + "'"};
}

Result<protocol::HoldWish> read_wish(Session& session) {
  protocol::HoldWish wish;
  const std::string what = session.arguments.text("WHAT");
  const StepName name = parse_step_name(session.arguments.text("STEP"));
  wish.step = name.step, wish.element = name.element;
  wish.why = session.arguments.text("why");
  if (!is_run(what)) {
    wish.pipeline = what;
  } else if (what == "last") {
    TRY(last, session.get<protocol::RunDetail>("/api/v1/runs/last"));
    wish.run = last.run.number;
  } else {
    std::from_chars(what.data(), what.data() + what.size(), wish.run);
  }
  if (const std::string until = session.arguments.text("until"); !until.empty()) {
    TRY(at, read_until(until));
    wish.until = at;
  }
  return wish;
}

int send(Session& session, const std::string& path, const Result<protocol::HoldWish>& wish) {
  if (!wish) return session.fail(wish.error());
  return tell_done(session,
                   session.ask<protocol::Done>("POST", path, protocol::to_json(*wish)));
}

}  // namespace

int run_hold(Session& session) {
  if (session.arguments.text("why").empty()) {
    return session.fail({ErrorCode::invalid, "hold needs a reason, which is shown to everybody who "
                                             "waits: --why \"…\""});
  }
  return send(session, "/api/v1/holds", read_wish(session));
}

int run_release(Session& session) {
  return send(session, "/api/v1/holds/release", read_wish(session));
}

int run_holds(Session& session) {
  const auto list = session.get<protocol::HoldList>(
      "/api/v1/holds" + query_of({{"pipeline", session.arguments.text("pipeline")}}));
  if (!list) return session.fail(list.error());
  return session.show([&] {
    Table table = session.table({{"PIPELINE"}, {"RUN", false, true}, {"STEP"}, {"BY"}, {"SINCE"},
                                 {"UNTIL"}, {"WHY"}});
    for (const protocol::Hold& hold : list->holds) {
      table.add({hold.pipeline, hold.run == 0 ? "all" : std::to_string(hold.run),
                 hold.step.empty() ? "all" : step_path(hold.step, hold.element), hold.who,
                 short_time(hold.at), hold.until.ms == 0 ? "-" : short_time(hold.until),
                 hold.kind == "pause" ? "paused " + hold.why : hold.why});
    }
    session.print(table);
    if (list->holds.empty()) session.say("Nothing is held.");
  });
}

}  // namespace pipelined::cli
