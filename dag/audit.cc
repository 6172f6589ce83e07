#include "dag/audit.h"

namespace pipelined {
namespace {

/// Its length stands before a field, so that no two rows give the same text.
void add(std::string& text, const std::string& field) {
  text += std::to_string(field.size()) + ":" + field + "\n";
}

}  // namespace

Digest audit_digest(const AuditRow& row) {
  std::string text = "audit/1\n";
  add(text, std::to_string(row.number));
  add(text, std::to_string(row.at));
  for (const std::string* field :
       {&row.who, &row.role, &row.from, &row.action, &row.subject, &row.outcome}) {
    add(text, *field);
  }
  add(text, row.body.hex());
  add(text, row.previous.hex());
  return sha256(text);
}

std::optional<std::string> audit_breach(const AuditRow& row, std::int64_t number,
                                        const Digest& previous) {
  const std::string here = "row " + std::to_string(row.number) + " of the audit log ";
  if (row.number != number + 1) {
    return here + "follows row " + std::to_string(number) + ": rows are missing between them";
  }
  if (row.previous != previous) {
    return here + "does not name the row before it: one of them was changed or replaced";
  }
  if (row.digest != audit_digest(row)) return here + "was changed after it was written";
  return std::nullopt;
}

}  // namespace pipelined
