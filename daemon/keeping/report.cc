#include "daemon/keeping/report.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace pipelined {

const char* name_of(RowVerdict verdict) {
  switch (verdict) {
    case RowVerdict::ok: return "ok";
    case RowVerdict::violated: return "violated";
    case RowVerdict::not_possible: return "not_possible";
  }
  return "ok";
}

bool has_violation(const Report& report) {
  return std::any_of(report.begin(), report.end(), [](const ReportRow& row) {
    return row.verdict == RowVerdict::violated;
  });
}

std::string text_of(const Report& report) {
  std::string text;
  for (const ReportRow& row : report) {
    std::string verdict = name_of(row.verdict);
    std::replace(verdict.begin(), verdict.end(), '_', ' ');
    text += row.name + std::string(row.name.size() < 4 ? 4 - row.name.size() : 1, ' ') + verdict +
            std::string(verdict.size() < 13 ? 13 - verdict.size() : 1, ' ') + row.about +
            " (" + std::to_string(row.checked) + " checked)";
    if (!row.sentence.empty()) text += ": " + row.sentence;
    text += '\n';
    for (const std::string& finding : row.findings) text += "    " + finding + '\n';
    const auto shown = static_cast<std::int64_t>(row.findings.size());
    if (row.found > shown) text += "    and " + std::to_string(row.found - shown) + " more\n";
    if (!row.runs.empty()) {
      text += "    affected runs:";
      for (const RunNumber run : row.runs) text += ' ' + std::to_string(run);
      text += '\n';
    }
  }
  return text;
}

std::string json_of(const Report& report) {
  nlohmann::json rows = nlohmann::json::array();
  for (const ReportRow& row : report) {
    rows.push_back({{"name", row.name},
                    {"about", row.about},
                    {"verdict", name_of(row.verdict)},
                    {"sentence", row.sentence},
                    {"checked", row.checked},
                    {"found", row.found},
                    {"bytes", row.bytes},
                    {"findings", row.findings},
                    {"runs", row.runs}});
  }
  const nlohmann::json all = {{"ok", !has_violation(report)}, {"rows", rows}};
  return all.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace pipelined
