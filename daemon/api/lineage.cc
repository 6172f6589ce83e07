#include "daemon/api/lineage.h"

#include <algorithm>
#include <set>

#include "daemon/api/asking.h"
#include "daemon/store/views.h"

namespace pipelined::api {
namespace {

constexpr int consumers_max = 1000, runs_max = 20, paths_max = 10;

/// Whether the result only passed the artifact on.
bool passes_on(const ResultRow& result, const Digest& artifact) {
  return std::any_of(result.inputs.begin(), result.inputs.end(), [&](const Binding& input) {
    return input.artifact.digest == artifact;
  });
}

/// The result that made the artifact.
std::optional<ResultRow> maker_of(Backend& backend, const ArtifactDetail& detail) {
  for (const BindingView& binding : detail.producers) {
    std::optional<ResultRow> result = backend.store().find_result_by_id(binding.result);
    if (result && !passes_on(*result, detail.view.ref.digest)) return result;
  }
  return std::nullopt;
}

/// Artifacts in the order in which they were found, each once.
class Found {
 public:
  void add(const Digest& digest) {
    if (known_.insert(digest).second) order_.push_back(digest);
  }
  const std::vector<Digest>& order() const { return order_; }
  bool has(const Digest& digest) const { return known_.count(digest) != 0; }

 private:
  std::vector<Digest> order_;
  std::set<Digest> known_;
};

/// What results made of the artifact.
void add_made(Backend& backend, const ArtifactDetail& detail, Found& found) {
  for (const BindingView& binding : detail.consumers) {
    const auto result = backend.store().find_result_by_id(binding.result);
    if (!result) continue;
    for (const Binding& output : result->outputs) {
      if (!passes_on(*result, output.artifact.digest)) found.add(output.artifact.digest);
    }
  }
}

protocol::LineageNode node_of(Backend& backend, const Digest& digest,
                              const std::optional<ArtifactDetail>& detail,
                              const std::optional<ResultRow>& made) {
  protocol::LineageNode node;
  node.digest = digest.hex();
  if (!detail) return node;
  node.type = detail->view.ref.type;
  for (const ArrivalRow& arrival : detail->arrivals) {
    if (node.delivered.size() < paths_max) node.delivered.push_back(arrival.path);
  }
  if (made) {
    node.pipeline = made->pipeline, node.step = made->step, node.element = made->element;
    node.run = made->run, node.runs = runs_with(backend.store(), *made, runs_max);
    for (const Binding& output : made->outputs) {
      if (output.artifact.digest == digest) node.port = output.port;
    }
  } else if (!detail->arrivals.empty()) {
    const ArrivalRow& arrival = detail->arrivals.front();
    node.pipeline = arrival.pipeline, node.step = "source " + arrival.source;
    node.element = arrival.span;
  }
  return node;
}

}  // namespace

Result<std::vector<Digest>> find_subjects(Backend& backend, const std::string& text) {
  if (text.find('/') == std::string::npos) {
    TRY(digest, find_digest(backend, text));
    return std::vector<Digest>{digest};
  }
  const std::vector<Digest> delivered = delivered_as(backend.store(), text, 1000);
  if (!delivered.empty()) return delivered;
  return Error{ErrorCode::not_found,
               "nothing was delivered as '" + text + "'; give SOURCE/SPAN as `pipectl span list` "
               "shows it, the path of a delivered file, or an artifact's digest"};
}

protocol::Lineage lineage_of(Backend& backend, const std::vector<Digest>& of, LineageWay way,
                             std::size_t limit) {
  protocol::Lineage lineage;
  if (!of.empty()) lineage.digest = of.front().hex();
  Found found;
  for (const Digest& digest : of) found.add(digest);
  for (std::size_t at = 0; at < found.order().size(); ++at) {
    if (lineage.nodes.size() >= limit) {
      lineage.more = true;
      break;
    }
    const Digest digest = found.order()[at];
    const auto detail = show_artifact(backend.store(), digest, consumers_max);
    const auto made = detail ? maker_of(backend, *detail) : std::nullopt;
    protocol::LineageNode node = node_of(backend, digest, detail, made);
    for (const Binding& input : made ? made->inputs : std::vector<Binding>()) {
      const Digest& from = input.artifact.digest;
      if (way == LineageWay::up) found.add(from);
      if (way == LineageWay::up || found.has(from)) node.from.push_back(from.hex());
    }
    if (way == LineageWay::down && detail) add_made(backend, *detail, found);
    lineage.nodes.push_back(std::move(node));
  }
  return lineage;
}

}  // namespace pipelined::api
