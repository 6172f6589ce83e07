#include "cli/findings.h"

#include <algorithm>
#include <ostream>

#include "cli/yaml.h"
#include "dag/spec_words.h"

namespace pipelined::cli {

std::string upload_of(const LocalBundle& bundle) {
  protocol::Upload upload;
  upload.folder = bundle.folder, upload.file = bundle.file;
  for (const auto& [name, content] : bundle.files) {
    if (protocol::is_utf8(content)) {
      upload.files[name] = content;
    } else {
      upload.binary[name] = protocol::base64_encode(content);
    }
  }
  return protocol::to_json(upload);
}

std::vector<Diagnostic> diagnostics_of(const std::vector<protocol::Finding>& findings) {
  std::vector<Diagnostic> list;
  for (const protocol::Finding& finding : findings) {
    list.push_back({finding.file,
                    {static_cast<int>(finding.line), static_cast<int>(finding.column)},
                    finding.message,
                    finding.warning});
  }
  return list;
}

void add_new(std::vector<Diagnostic>& list, const Diagnostic& one) {
  const bool there = std::any_of(list.begin(), list.end(), [&](const Diagnostic& other) {
    return other.file == one.file && other.at == one.at && other.message == one.message;
  });
  if (!there) list.push_back(one);
}

int show_findings(Session& session, const std::vector<Diagnostic>& found, const std::string& file) {
  const bool wrong = has_errors(found);
  if (session.format == Format::json || session.format == Format::yaml) {
    protocol::CheckReply reply;
    reply.ok = !wrong;
    for (const Diagnostic& one : found) {
      reply.findings.push_back({one.file, one.at.line, one.at.column, one.message, one.warning});
    }
    const std::string json = protocol::to_json(reply);
    session.terminal.out << (session.format == Format::json ? json + "\n" : yaml_of(json));
    return wrong ? exit_failed : exit_done;
  }
  for (const Diagnostic& one : found) {
    session.terminal.out << session.safe(text_of(one)) << "\n";
  }
  if (!wrong) session.say(file + ": no errors");
  return wrong ? exit_failed : exit_done;
}

}  // namespace pipelined::cli
