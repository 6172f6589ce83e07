#include "daemon/api/definitions.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "dag/bundle.h"
#include "dag/cache_key.h"
#include "dag/explain.h"
#include "dag/step_ports.h"
#include "dag/text_diff.h"

namespace pipelined::api {
namespace {

std::string files_text(const Pipeline& pipeline, const std::string& name) {
  const auto found = pipeline.files.find(name);
  return found == pipeline.files.end() ? "" : sha256(found->second).brief();
}

/// The wiring of a step as one text a port: "examples ← validate.examples".
std::map<std::string, std::string> wiring_of(const PipelineStep& step) {
  std::map<std::string, std::string> wires;
  for (const PipelineInput& input : step.inputs) {
    const InputSpec& spec = input.spec;
    std::string from;
    switch (spec.kind) {
      case InputSpec::Kind::each: from = "each element"; break;
      case InputSpec::Kind::source: from = "source " + spec.source; break;
      case InputSpec::Kind::file: from = "file " + spec.file; break;
      case InputSpec::Kind::model: from = "model " + spec.model + "@" + spec.version; break;
      case InputSpec::Kind::newest: from = "newest of "; break;
      case InputSpec::Kind::latest: from = "latest of "; break;
      case InputSpec::Kind::results: from = "results of "; break;
      case InputSpec::Kind::span: from = "span " + std::to_string(spec.offset) + " of "; break;
      case InputSpec::Kind::step: break;
    }
    if (!spec.step.empty()) from += spec.step + (input.output.empty() ? "" : "." + input.output);
    wires["in." + spec.port] = from;
  }
  return wires;
}

void compare_step(DiffLines& lines, const Definition& first, const PipelineStep& before,
                  const Definition& second, const PipelineStep& after) {
  const auto params = [](const Definition& side, const PipelineStep& step) {
    ValueTable values = side.pipeline->step_values(step.fan_source);
    for (const auto& [name, value] : side.values) values[name] = value;
    const auto resolved = resolve_params(step.spec.params, values, side.pipeline->files);
    return resolved ? *resolved : ValueTable{};
  };
  std::vector<ReasonDetail> details = key_difference(key_text(before, params(first, before), {}),
                                                     key_text(after, params(second, after), {}));
  name_defaults(details, *after.info);
  for (const ReasonDetail& detail : details) {
    lines.add({"definition", after.spec.name, "", detail.name, detail.before, detail.after});
  }
  const auto old_wires = wiring_of(before), wires = wiring_of(after);
  for (const std::string& name : names_of(old_wires, wires)) {
    lines.add({"definition", after.spec.name, "", name, text_at(old_wires, name),
               text_at(wires, name)});
  }
}

/// Takes the whole file and closes it.
Result<std::string> read_all(const OpenedFile& file, const std::string& path) {
  std::string text(static_cast<std::size_t>(file.size), '\0');
  std::size_t done = 0;
  ssize_t got = 1;
  while (done < text.size() && got > 0) {
    got = ::read(file.descriptor, text.data() + done, text.size() - done);
    if (got < 0 && errno == EINTR) got = 1;
    else if (got > 0) done += static_cast<std::size_t>(got);
  }
  const int reason = errno;
  ::close(file.descriptor);
  if (got < 0) return Error{ErrorCode::io, "read " + path + ": " + std::strerror(reason)};
  if (done < text.size()) return Error{ErrorCode::corrupt, path + " is shorter than it was stored"};
  return text;
}

bool is_text(const std::string& content) {
  return content.find('\0') == std::string::npos && protocol::is_utf8(content);
}

void compare_files(protocol::PipelineDiff& diff, const BundleFiles& first,
                   const BundleFiles& second) {
  for (const std::string& name : names_of(first, second)) {
    const auto before = first.find(name), after = second.find(name);
    const std::string none;
    const std::string& was = before == first.end() ? none : before->second;
    const std::string& is = after == second.end() ? none : after->second;
    if (before != first.end() && after != second.end() && was == is) continue;
    diff.files.push_back({name,
                          before == first.end()   ? "added"
                          : after == second.end() ? "removed"
                                                  : "changed",
                          is_text(was) && is_text(is) ? text_diff(was, is) : ""});
  }
}

}  // namespace

Definition definition_of(Backend& backend, const Digest& version, const ValueTable& params) {
  Definition definition{version, backend.pipeline_version(version), {}};
  if (definition.pipeline) definition.values = definition.pipeline->spec.params;
  for (const auto& [name, value] : params) definition.values[name] = value;
  return definition;
}

std::string text_at(const std::map<std::string, std::string>& table, const std::string& name) {
  const auto found = table.find(name);
  return found == table.end() ? std::string() : found->second;
}

void compare_definitions(DiffLines& lines, const Definition& first, const Definition& second) {
  lines.add({"definition", "", "", "version", first.version.brief(), second.version.brief()});
  if (!first.pipeline || !second.pipeline) return;
  for (const std::string& name : names_of(first.pipeline->files, second.pipeline->files)) {
    lines.add({"definition", "", "", "file " + name, files_text(*first.pipeline, name),
               files_text(*second.pipeline, name)});
  }
  for (const PipelineStep& after : second.pipeline->steps) {
    const StepIndex before = first.pipeline->find(after.spec.name);
    if (before == no_step) {
      lines.add({"definition", after.spec.name, "", "step", "", after.spec.operator_id});
    } else {
      compare_step(lines, first, first.pipeline->steps[before], second, after);
    }
  }
  for (const PipelineStep& before : first.pipeline->steps) {
    if (second.pipeline->find(before.spec.name) != no_step) continue;
    lines.add({"definition", before.spec.name, "", "step", before.spec.operator_id, ""});
  }
}

void compare_parameters(DiffLines& lines, const Definition& first, const Definition& second) {
  const auto text = [](const Definition& side, const std::string& name) {
    const auto found = side.values.find(name);
    return found == side.values.end() ? std::string() : canonical(found->second);
  };
  for (const std::string& name : names_of(first.values, second.values)) {
    lines.add({"parameter", "", "", name, text(first, name), text(second, name)});
  }
}

Result<PipelineRow> find_version(Backend& backend, const std::string& pipeline,
                                 const std::string& text) {
  const std::vector<PipelineRow> all = list_versions(backend.store(), pipeline, view_limit_max);
  std::vector<PipelineRow> found;
  for (const PipelineRow& row : all) {
    if (text == "current" ? row.current : row.version.hex().rfind(text, 0) == 0) found.push_back(row);
  }
  if (text == "previous") {
    for (const PipelineRow& row : all) {
      if (!row.current && found.empty()) found.push_back(row);
    }
    if (found.empty()) {
      return Error{ErrorCode::not_found, "there is only one version of pipeline " + pipeline};
    }
  }
  if (text.empty() || found.empty()) {
    return Error{ErrorCode::not_found,
                 "pipeline " + pipeline + " has no version '" + text +
                     "'; give the first digits of one, `current` or `previous`; `pipectl pipeline "
                     "versions " + pipeline + "` lists them"};
  }
  if (found.size() > 1) {
    return Error{ErrorCode::invalid, "several versions of pipeline " + pipeline + " begin with " +
                                         text + "; give more digits"};
  }
  return found.front();
}

protocol::PipelineVersion version_of(const PipelineRow& row) {
  return {row.version.hex(), {row.applied_at}, row.current, row.folder};
}

Result<BundleFiles> bundle_of(Backend& backend, const Digest& version) {
  const auto detail = show_artifact(backend.store(), version, 1);
  if (!detail || !detail->manifest) {
    return Error{ErrorCode::not_found, "the files of version " + version.brief() + " are lost"};
  }
  BundleFiles files;
  for (const ManifestFile& file : detail->manifest->files) {
    TRY(opened, backend.open_file(version, file.path));
    TRY(text, read_all(opened, file.path));
    files.emplace(file.path, std::move(text));
  }
  return files;
}

Result<protocol::PipelineDiff> compare_versions(Backend& backend, const PipelineRow& first,
                                                const PipelineRow& second) {
  protocol::PipelineDiff diff{second.name, version_of(first), version_of(second), {}, {}, {}};
  TRY(before, bundle_of(backend, first.version));
  TRY(after, bundle_of(backend, second.version));
  compare_files(diff, before, after);
  const Definition old = definition_of(backend, first.version, {});
  const Definition now = definition_of(backend, second.version, {});
  for (const Definition& side : {old, now}) {
    if (side.pipeline || !diff.note.empty()) continue;
    diff.note = "the operators that are installed do not fit version " + side.version.brief() +
                " any more: only the files are compared";
  }
  if (!diff.note.empty()) return diff;
  DiffLines lines;
  compare_parameters(lines, old, now);
  compare_definitions(lines, old, now);
  for (protocol::DiffLine& line : lines.lines) {
    const bool told_by_files = line.step.empty() && line.topic == "definition";
    if (!told_by_files) diff.lines.push_back(std::move(line));
  }
  return diff;
}

}  // namespace pipelined::api
