// I4 and I11: what callers were told is recorded, and the last word about a pipeline is in force.
//
// The audit log holds what each request was answered, written in the turn that has the effect; what a
// caller knows beside it comes with FsckOptions::promised.
#include <cstdlib>
#include <map>
#include <string_view>

#include "daemon/keeping/fsck.h"

namespace pipelined {
namespace {

constexpr std::string_view run_answer = "done: run ";
constexpr std::string_view apply_answer = "done: pipeline ";
constexpr std::string_view version_word = " is in force, version ";

/// The run of "done: run 17 of flights"; 0: another answer.
RunNumber run_in(std::string_view outcome) {
  if (outcome.substr(0, run_answer.size()) != run_answer) return 0;
  return std::atoll(std::string(outcome.substr(run_answer.size())).c_str());
}

/// What an answer to an apply says: "done: pipeline NAME is in force, version 0123456789ab".
struct Applied {
  std::string pipeline, version;
};

std::optional<Applied> applied_in(const std::string& outcome) {
  const std::size_t word = outcome.find(version_word);
  if (outcome.rfind(apply_answer, 0) != 0 || word == std::string::npos) return std::nullopt;
  Applied applied{outcome.substr(apply_answer.size(), word - apply_answer.size()),
                  outcome.substr(word + version_word.size())};
  applied.version.resize(std::min<std::size_t>(applied.version.find_first_of(" ;,"),
                                               applied.version.size()));
  return applied;
}

/// Runs that are recorded, and up to which number collections have removed some.
class RecordedRuns {
 public:
  explicit RecordedRuns(Database& records) : records_(records) {
    Query removed(records, "SELECT value FROM meta WHERE key = 'runs_removed_to'");
    if (removed.next()) removed_to_ = std::atoll(removed.string(0).c_str());
  }
  bool knows(RunNumber run) {
    if (run <= removed_to_) return true;
    Query query(records_, "SELECT 1 FROM runs WHERE number = ?1", run);
    return query.next();
  }

 private:
  Database& records_;
  RunNumber removed_to_ = 0;
};

void check_answers(Database& records, const FsckOptions& options, Report& report) {
  ReportRow& row = add_row(report, "I4", "every answered request is recorded");
  RecordedRuns runs(records);
  const auto look = [&](RunNumber run, const std::string& who) {
    ++row.checked;
    if (!runs.knows(run)) {
      row.violate("run " + std::to_string(run) + " was promised (" + who + ") and is not recorded",
                  run);
    }
  };
  {
    Query answers(records, "SELECT number, outcome FROM audit WHERE outcome LIKE 'done: run %' "
                           "OR outcome LIKE 'done: pipeline %' ORDER BY number");
    while (answers.next()) {
      const std::string outcome = answers.string(1);
      const std::string place = "row " + std::to_string(answers.integer(0)) + " of the audit log";
      if (const RunNumber run = run_in(outcome); run > 0) look(run, place);
      const auto applied = applied_in(outcome);
      if (!applied) continue;
      ++row.checked;
      Query known(records, "SELECT 1 FROM pipelines WHERE name = ?1", applied->pipeline);
      if (!known.next()) {
        row.violate("pipeline " + applied->pipeline + " was taken (" + place + ") and is not recorded");
      }
    }
  }
  {
    Query tokens(records, "SELECT name FROM (SELECT substr(outcome, 13, instr(substr(outcome, 13), "
                          "' ') - 1) AS name, outcome FROM audit WHERE outcome LIKE "
                          "'done: token % with role %') WHERE NOT EXISTS (SELECT 1 FROM tokens t "
                          "WHERE t.name = name)");
    while (tokens.next()) row.violate("token " + tokens.string(0) + " was made and is not recorded");
  }
  for (const RunNumber run : options.promised) look(run, "--promised");
  take_failure(records, row);
  row.sentence = "answers of the audit log" +
                 std::string(options.promised.empty() ? "; what callers noted comes with --promised"
                                                      : " and of --promised");
}

}  // namespace

void check_answered(Database& records, const FsckOptions& options, Report& report) {
  check_answers(records, options, report);
}

void check_in_force(Database& records, Report& report) {
  ReportRow& row = add_row(report, "I11", "what is in force is what was decided last");
  std::map<std::string, std::string> decided;  // pipeline → version
  {
    Query answers(records, "SELECT outcome FROM audit WHERE outcome LIKE 'done: pipeline %' "
                           "ORDER BY number");
    while (answers.next()) {
      if (auto applied = applied_in(answers.string(0))) decided[applied->pipeline] = applied->version;
    }
  }
  {
    Query current(records, "SELECT name, count(*) FILTER (WHERE current), "
                           "max(CASE WHEN current THEN lower(hex(version)) END) FROM pipelines "
                           "GROUP BY name");
    while (current.next()) {
      ++row.checked;
      const std::string name = current.string(0), version = current.string(2);
      if (current.integer(1) != 1) {
        row.violate("pipeline " + name + " has " + std::to_string(current.integer(1)) +
                    " versions in force");
      } else if (const auto last = decided.find(name);
                 last != decided.end() && version.rfind(last->second, 0) != 0) {
        row.violate("pipeline " + name + " has version " + version.substr(0, 12) +
                    " in force, but " + last->second + " was applied last");
      }
    }
  }
  take_failure(records, row);
}

}  // namespace pipelined
