#include "dag/cache_key.h"

#include <algorithm>
#include <map>
#include <sstream>

namespace pipelined {
namespace {

bool is_plain_name(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

// A table is flattened to dotted names; anything else is one line.  Bounded by the depth of TOML.
void append_param(std::string& out, const std::string& name, const Value& value) {
  const ValueTable* table = value.as_table();
  if (table == nullptr || table->empty()) {
    out += "param " + name + " " + canonical(value) + "\n";
    return;
  }
  for (const auto& [key, inner] : *table) {
    append_param(out, name + "." + (is_plain_name(key) ? key : quoted(key)), inner);
  }
}

void append_params(std::string& out, const PipelineStep& step, const ValueTable& params) {
  for (const auto& [name, value] : params) {
    if (name == "argv" && step.info->id == command_operator) {
      out += "command " + canonical(value) + "\n";
      continue;
    }
    const ParamInfo* info = step.info->param(name);
    if (info != nullptr && !info->default_value.is_null() && info->default_value == value) continue;
    append_param(out, is_plain_name(name) ? name : quoted(name), value);
  }
}

void append_operator(std::string& out, const OperatorInfo& info) {
  out += "operator " + info.id + " " + std::to_string(info.behaviour) + "\n";
  std::vector<std::string> lines;
  for (const LibraryInfo& library : info.libraries) {
    lines.push_back("library " + library.name + " " + library.version + "\n");
  }
  std::sort(lines.begin(), lines.end());
  for (const std::string& line : lines) out += line;
  if (!info.build.empty()) out += "build " + info.build + "\n";
}

void append_outputs(std::string& out, const PipelineStep& step) {
  if (!step.info->open_outputs) return;
  for (const OutputSpec& output : step.outputs) {
    out += "out " + output.port + " " + output.type;
    if (output.evidence) out += " evidence";
    if (output.optional) out += " optional";
    out += "\n";
  }
}

// The name of a key line and its value: "param depth 6" → ("param depth", "6").
std::pair<std::string, std::string> split_line(const std::string& line) {
  std::size_t space = line.find(' ');
  if (space == std::string::npos) return {line, ""};
  const std::string kind = line.substr(0, space);
  if (kind == "param" || kind == "in" || kind == "library" || kind == "out" || kind == "operator") {
    const std::size_t next = line.find(' ', space + 1);
    if (next != std::string::npos) space = next;
  }
  return {line.substr(0, space), line.substr(space + 1)};
}

// What a key line is about, in a person's words: "param depth" is "parameter depth".
std::string in_words(const std::string& name) {
  if (name.starts_with("param ")) return "parameter " + name.substr(6);
  if (name.starts_with("in ")) return "input " + name.substr(3);
  if (name.starts_with("out ")) return "output " + name.substr(4);
  return name;
}

std::vector<std::pair<std::string, std::string>> lines_of(const std::string& text) {
  std::vector<std::pair<std::string, std::string>> lines;
  std::size_t begin = 0;
  while (begin < text.size()) {
    std::size_t end = text.find('\n', begin);
    if (end == std::string::npos) end = text.size();
    lines.push_back(split_line(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return lines;
}

// Digests are shortened for people; the full ones stand in the key text.
std::string for_people(const std::string& value) {
  std::string out;
  std::size_t begin = 0;
  while (begin <= value.size()) {
    std::size_t end = value.find(' ', begin);
    if (end == std::string::npos) end = value.size();
    const std::string word = value.substr(begin, end - begin);
    if (!out.empty()) out += ' ';
    out += parse_digest(word) ? word.substr(0, 12) : word;
    begin = end + 1;
  }
  // Nobody reads a long list within a sentence.
  const std::size_t size_max = out.starts_with('[') || out.starts_with('{') ? 80 : 400;
  if (out.size() > size_max) out = out.substr(0, size_max - 3) + "…";
  return out;
}

/// The digests of an input line's value, "COUNT DIGEST…".
std::vector<std::string> digests_of(const std::string& value) {
  std::vector<std::string> digests;
  std::istringstream words(value);
  std::string word;
  words >> word;  // the count
  while (words >> word) digests.push_back(word.substr(0, 12));
  return digests;
}

std::string counted(const std::vector<std::string>& digests) {
  if (digests.size() == 1) return digests.front();
  return std::to_string(digests.size()) + " artifacts";
}

std::string told(const std::string& name, const std::string& value) {
  return name.starts_with("in ") ? counted(digests_of(value)) : for_people(value);
}

// One artifact is named; of many only their number and those that are new, since of a year's days
// one has changed.
ReasonDetail input_change(const std::string& name, const std::string& before,
                          const std::string& after) {
  const std::vector<std::string> old = digests_of(before), now = digests_of(after);
  ReasonDetail detail{name, counted(old), counted(now)};
  if (now.size() < 2) return detail;
  constexpr std::size_t named_max = 3;
  std::vector<std::string> fresh;
  for (const std::string& digest : now) {
    if (std::find(old.begin(), old.end(), digest) == old.end()) fresh.push_back(digest);
  }
  for (std::size_t i = 0; i < fresh.size() && i < named_max; ++i) {
    detail.after += (i == 0 ? ", new: " : " ") + fresh[i];
  }
  if (fresh.size() > named_max) {
    detail.after += " and " + std::to_string(fresh.size() - named_max) + " more";
  }
  if (fresh.empty() && old.size() == now.size()) detail.after += " in another order";
  return detail;
}

std::string shown(const ReasonDetail& detail) {
  if (detail.before.empty()) return detail.name + " is new (" + detail.after + ")";
  if (detail.after.empty()) return detail.name + " is gone (was " + detail.before + ")";
  return detail.name + " changed from " + detail.before + " to " + detail.after;
}

}  // namespace

std::string key_text(const PipelineStep& step, const ValueTable& params,
                     const std::vector<PortInputs>& inputs) {
  std::string out;
  append_operator(out, *step.info);
  append_outputs(out, step);
  append_params(out, step, params);
  for (const PortInputs& port : inputs) {
    out += "in " + port.port + " " + std::to_string(port.artifacts.size());
    for (const ArtifactRef& artifact : port.artifacts) out += " " + artifact.digest.hex();
    out += "\n";
  }
  out += "seed " + std::to_string(step.spec.seed) + "\n";
  out += "salt " + quoted(step.spec.salt) + "\n";
  return out;
}

std::vector<ReasonDetail> key_difference(const std::string& before, const std::string& after) {
  std::map<std::string, std::string> old;
  for (auto& [name, value] : lines_of(before)) old.emplace(name, value);
  std::vector<ReasonDetail> details;
  for (auto& [name, value] : lines_of(after)) {
    const auto found = old.find(name);
    if (found == old.end()) {
      details.push_back({in_words(name), "", told(name, value)});
    } else {
      if (found->second != value) {
        details.push_back(name.starts_with("in ")
                              ? input_change(in_words(name), found->second, value)
                              : ReasonDetail{in_words(name), for_people(found->second),
                                             for_people(value)});
      }
      old.erase(found);
    }
  }
  for (auto& [name, value] : old) details.push_back({in_words(name), told(name, value), ""});
  return details;
}

void name_defaults(std::vector<ReasonDetail>& details, const OperatorInfo& info) {
  static constexpr std::string_view kind = "parameter ";
  for (ReasonDetail& detail : details) {
    if (!detail.name.starts_with(kind)) continue;
    const ParamInfo* param = info.param(detail.name.substr(kind.size()));
    if (param == nullptr || param->default_value.is_null()) continue;
    if (detail.before.empty()) detail.before = canonical(param->default_value);
    if (detail.after.empty()) detail.after = canonical(param->default_value);
  }
}

Reason miss_reason(const std::vector<ReasonDetail>& differences, RunNumber earlier_run) {
  Reason reason;
  reason.details = differences;
  const std::string against = " (compared with run " + std::to_string(earlier_run) + ")";
  if (differences.empty()) return {"no_result", "no earlier result can be used" + against, {}};
  const std::string& first = differences.front().name;
  if (first.starts_with("parameter")) {
    reason.code = "parameter_changed";
  } else if (first.starts_with("input ")) {
    reason.code = "input_changed";
  } else if (first.starts_with("seed") || first.starts_with("salt")) {
    reason.code = "setting_changed";
  } else {
    reason.code = "code_changed";
  }
  for (std::size_t i = 0; i < differences.size() && i < 3; ++i) {
    if (i > 0) reason.sentence += "; ";
    reason.sentence += shown(differences[i]);
  }
  if (differences.size() > 3) {
    reason.sentence += "; and " + std::to_string(differences.size() - 3) + " more";
  }
  reason.sentence += against;
  return reason;
}

Digest policy_key(const std::string& pipeline, const Digest& key) {
  return sha256("policy\n" + pipeline + "\n" + key.hex());
}

Digest definition_digest(const PipelineStep& step, const ValueTable& params,
                         const std::vector<Digest>& parents) {
  std::string text = key_text(step, params, {});
  for (const PipelineInput& input : step.inputs) {
    const InputSpec& spec = input.spec;
    text += "wire " + spec.port + " " + std::to_string(static_cast<int>(spec.kind)) + " " +
            spec.step + " " + input.output + " " + spec.source + " " +
            std::to_string(spec.offset) + " " + input.file.digest.hex() + "\n";
  }
  for (const Digest& parent : parents) text += "parent " + parent.hex() + "\n";
  return sha256(text);
}

}  // namespace pipelined
