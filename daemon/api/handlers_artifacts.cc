// Handlers that concern artifacts: lists, manifests, bytes, lineage.
#include <algorithm>

#include "daemon/api/asking.h"
#include "daemon/api/handlers.h"
#include "daemon/api/lineage.h"
#include "daemon/api/translate.h"
#include "dag/nearest_name.h"

namespace pipelined::api {

void get_artifacts(Backend& backend, const Request& request, const Respond& respond) {
  const auto limit = asked_number(request, "limit", 50, 1, view_limit_max);
  if (!limit) return refuse(respond, limit.error());
  const auto before = asked_number(request, "before", 0, 0, INT64_MAX);
  if (!before) return refuse(respond, before.error());
  ArtifactFilter filter;
  filter.type = request.asked("type");
  filter.limit = static_cast<int>(*limit), filter.before = *before;
  protocol::ArtifactList reply;
  for (const ArtifactView& view : list_artifacts(backend.store(), filter)) {
    protocol::ArtifactInfo info;
    info.digest = view.ref.digest.hex(), info.type = view.ref.type, info.size = view.ref.size;
    info.at = {view.created_at};
    const auto detail = show_artifact(backend.store(), view.ref.digest, 1);
    if (detail && !detail->producers.empty()) {
      const BindingView& at = detail->producers.front();
      info.pipeline = at.pipeline, info.step = at.step, info.element = at.element;
      info.port = at.port, info.run = at.run;
    } else if (detail && !detail->arrivals.empty()) {
      const ArrivalRow& arrival = detail->arrivals.front();
      info.pipeline = arrival.pipeline, info.step = "source " + arrival.source;
      info.element = arrival.span;
    }
    reply.artifacts.push_back(std::move(info));
  }
  answer(respond, reply);
}

namespace {

Result<ArtifactDetail> find_detail(Backend& backend, const Request& request) {
  TRY(digest, find_digest(backend, request.part("digest")));
  std::optional<ArtifactDetail> detail = show_artifact(backend.store(), digest, 100);
  if (!detail) return Error{ErrorCode::not_found, "there is no artifact " + digest.hex()};
  return *std::move(detail);
}

/// Answers with the way that the request asks for.
void tell_lineage(Backend& backend, const Request& request, const std::vector<Digest>& of,
                  const Respond& respond) {
  const std::string way = request.asked("way");
  if (!way.empty() && way != "up" && way != "down") {
    return refuse(respond, {ErrorCode::invalid, "'way' is up (what it was made from) or down (what "
                                                "was made from it), not '" + way + "'"});
  }
  answer(respond, lineage_of(backend, of, way == "down" ? LineageWay::down : LineageWay::up, 1000));
}

}  // namespace

void get_artifact(Backend& backend, const Request& request, const Respond& respond) {
  const auto detail = find_detail(backend, request);
  if (!detail) return refuse(respond, detail.error());
  answer(respond, artifact_of(*detail));
}

void get_artifact_file(Backend& backend, const Request& request, const Respond& respond) {
  const auto detail = find_detail(backend, request);
  if (!detail) return refuse(respond, detail.error());
  const std::string path = request.asked("path");
  std::vector<std::string> known;
  for (const ManifestFile& file : detail->manifest ? detail->manifest->files
                                                   : std::vector<ManifestFile>()) {
    known.push_back(file.path);
  }
  // The path is looked up among the names of the manifest, never joined to a folder.
  if (std::find(known.begin(), known.end(), path) == known.end()) {
    return refuse(respond, {ErrorCode::not_found, "artifact " + detail->view.ref.digest.brief() +
                                                      " has no file '" + path + "'" +
                                                      did_you_mean(path, known)});
  }
  const auto opened = backend.open_file(detail->view.ref.digest, path);
  if (!opened) return refuse(respond, opened.error());
  Answer answer;
  answer.content_type = "application/octet-stream";
  // Bytes that a pipeline made must never be taken for a page of ours.
  answer.headers = {{"Content-Disposition", "attachment"}};
  answer.body = std::make_shared<FileBody>(opened->descriptor, opened->size);
  respond(std::move(answer));
}

void get_lineage(Backend& backend, const Request& request, const Respond& respond) {
  const auto detail = find_detail(backend, request);
  if (!detail) return refuse(respond, detail.error());
  tell_lineage(backend, request, {detail->view.ref.digest}, respond);
}

void get_lineage_of(Backend& backend, const Request& request, const Respond& respond) {
  const auto of = find_subjects(backend, request.asked("of"));
  if (!of) return refuse(respond, of.error());
  tell_lineage(backend, request, *of, respond);
}

void post_query(Backend& backend, const Request& request, const Respond& respond) {
  const auto body = read_body<protocol::QueryRequest>(request);
  if (!body) return refuse(respond, body.error());
  static constexpr std::int64_t rows_max = 1000;
  if (body->rows < 1 || body->rows > rows_max) {
    return refuse(respond, {ErrorCode::invalid, "'rows' must be a whole number from 1 to " +
                                                    std::to_string(rows_max)});
  }
  const auto detail = find_detail(backend, request);
  if (!detail) return refuse(respond, detail.error());
  std::vector<Digest> tables = {detail->view.ref.digest};
  if (!body->other.empty()) {
    const auto other = find_digest(backend, body->other);
    if (!other) return refuse(respond, other.error());
    tables.push_back(*other);
  }
  backend.query_artifacts(tables, body->query, body->rows,
                          [respond](Result<std::string> found) {
                            if (!found) return refuse(respond, found.error());
                            respond(json_answer(*std::move(found)));
                          });
}

}  // namespace pipelined::api
