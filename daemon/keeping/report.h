// What looking after the store found, as rows that people and scripts read alike.
//
// One shape for fsck (a row an invariant), collections, scrubs and backups (a row a kind of thing).
// Plain data; knows no database, file or wire.  Any thread.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "dag/records.h"

namespace pipelined {

/// How a row came out.
enum class RowVerdict { ok, violated, not_possible };

/// The word of it: "ok", "violated", "not_possible".
const char* name_of(RowVerdict verdict);

/// One row of a report.
struct ReportRow {
  std::string name;                    ///< "I2", "runs", "objects"
  std::string about;                   ///< what is looked at, in a few words
  RowVerdict verdict = RowVerdict::ok;
  std::string sentence;                ///< why it is not possible, or what else to know
  std::int64_t checked = 0;            ///< how many things were looked at
  std::int64_t found = 0;              ///< how many of them are wrong, or were acted on
  std::int64_t bytes = 0;              ///< of them; 0: not counted
  std::vector<std::string> findings;   ///< sentences, at most `findings_max`
  std::set<RunNumber> runs;            ///< affected runs, at most `runs_max`

  static constexpr std::size_t findings_max = 100, runs_max = 1000;

  /// Something is wrong; `run` 0: with no run in particular.
  void violate(std::string finding, RunNumber run = 0) {
    verdict = RowVerdict::violated;
    note(std::move(finding), run);
  }
  /// Something was done or is worth telling.
  void note(std::string finding, RunNumber run = 0) {
    ++found;
    if (findings.size() < findings_max) findings.push_back(std::move(finding));
    affect(run);
  }
  /// The run is affected.
  void affect(RunNumber run) {
    if (run > 0 && runs.size() < runs_max) runs.insert(run);
  }
  /// It cannot be looked at here, and why.
  void give_up(std::string why) {
    if (verdict == RowVerdict::ok) verdict = RowVerdict::not_possible;
    sentence = std::move(why);
  }
};

/// All rows, in order.
using Report = std::vector<ReportRow>;

/// Whether any row is violated.
bool has_violation(const Report& report);
/// "I2  violated  …", one line a row and its findings below it.
std::string text_of(const Report& report);
/// The same as JSON with sorted keys.
std::string json_of(const Report& report);

}  // namespace pipelined
