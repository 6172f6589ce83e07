#include "daemon/app_deliveries.h"

#include <ctime>

#include <algorithm>
#include <utility>

#include "daemon/app_span_files.h"
#include "daemon/posix/fault.h"
#include "dag/query_source.h"
#include "daemon/watch/folder_view.h"

namespace pipelined {
namespace {

/// Files that wait to be read again; beyond it the minute's full look finds them.
constexpr std::size_t again_max = 10'000;

/// The memory of an episode of trouble, so that a restart in the midst of it is no new alert.
std::string trouble_key(const std::string& pipeline, const std::string& source) {
  return "trouble/" + pipeline + "/" + source;
}

/// What is watched for a source: its files, or the markers that say that several are complete.
WatchedSource watched_source(const std::string& pipeline, const SourceSpec& source,
                             const std::string& folder) {
  WatchedSource watched{pipeline, source.name, folder, source.path, source.settle_ms};
  if (!source.marker.empty()) {
    watched.files = source.path;
    watched.pattern = source.marker;
    watched.manifest = source.manifest;
  }
  if (!watched.pattern.empty() && watched.pattern.front() == '/') {
    watched.folder = "/";
    for (std::string* path : {&watched.pattern, &watched.files}) {
      if (!path->empty()) path->erase(0, 1);
    }
  }
  return watched;
}

}  // namespace

Deliveries::Deliveries(boost::asio::io_context& loop, Store& store, Artifacts& artifacts,
                       std::string state_folder, Callbacks callbacks, WatchSettings settings)
    : store_(store),
      artifacts_(artifacts),
      callbacks_(std::move(callbacks)),
      seen_(std::move(state_folder) + "/seen-files"),
      self_(std::make_shared<Deliveries*>(this)) {
  seen_.load();
  WatchCallbacks watching;
  watching.on_settled = [this](const SettledFile& file) { take(file); };
  watching.already_known = [this](const SettledFile& file) { return seen_.knows(file); };
  watching.on_unmatched = [this](const std::string& pipeline, const std::string& source,
                                 const std::string& path, const std::string& sentence) {
    on_unmatched(pipeline, source, path, sentence);
  };
  watching.on_trouble = [this](const std::string& pipeline, const std::string& source,
                               const std::string& sentence) {
    on_trouble(pipeline, source, sentence);
  };
  watching.on_recovered = [this](const std::string& pipeline, const std::string& source) {
    on_recovered(pipeline, source);
  };
  watch_ = std::make_unique<Watch>(loop, std::move(watching), settings);
}

Deliveries::~Deliveries() = default;

void Deliveries::set_pipelines(
    const std::vector<std::pair<std::shared_ptr<const Pipeline>, std::string>>& pipelines) {
  if (stopped_) return;
  sources_.clear();
  queried_.clear();
  for (const auto& [pipeline, folder] : pipelines) {
    for (const SourceSpec& source : pipeline->spec.sources) {
      if (source.kind == "query") {
        queried_.push_back({pipeline->spec.name, source.name,
                            source.query.secret.empty() ? query_file(source, folder)
                                                        : "postgresql:" + source.query.secret,
                            source.query.watermark});
      }
      if (source.kind != "files") continue;
      sources_.push_back(watched_source(pipeline->spec.name, source, folder));
    }
  }
  seen_.keep_only(sources_);
  std::erase_if(troubles_, [this](const auto& entry) {
    for (const WatchedSource& source : sources_) {
      if (entry.first == SourceName{source.pipeline, source.source}) return false;
    }
    return true;
  });
  episodes_checked_ = false;
  watch_->set_sources(sources_);
}

void Deliveries::take(const SettledFile& file) {
  if (stopped_) return;
  fault::at(fault::Place::delivery_settled);
  ++busy_;
  auto done = [self = std::weak_ptr(self_), file](Result<Manifest> stored) {
    if (auto here = self.lock()) (*here)->on_snapshot(file, std::move(stored));
  };
  const WatchedSource* source = marked_source(file);
  if (source == nullptr) {
    return artifacts_.snapshot(file.path, file.facts, "files/1", std::move(done));
  }
  auto files = files_of_span(*source, file);
  if (files) return artifacts_.snapshot_set(*std::move(files), "files/1", std::move(done));
  on_incomplete(file, files.error());
}

const WatchedSource* Deliveries::marked_source(const SettledFile& file) const {
  for (const WatchedSource& one : sources_) {
    if (one.pipeline != file.pipeline || one.source != file.source) continue;
    return one.files.empty() ? nullptr : &one;
  }
  return nullptr;
}

// The marker is there and the files are not, or not yet: said once for this marker.
void Deliveries::on_incomplete(const SettledFile& file, const Error& error) {
  --busy_;
  const auto marker = look_at(file.path);
  if (!marker || marker->facts != file.facts) return;  // the watch sees what has become of it
  report_unreadable(file, error.message);
  if (again_.size() < again_max) again_.push_back(file);
}

void Deliveries::on_snapshot(const SettledFile& file, Result<Manifest> stored) {
  --busy_;
  if (stopped_) return;
  fault::at(fault::Place::delivery_stored);
  if (stored) {
    event::Arrived arrived;
    arrived.pipeline = file.pipeline;
    arrived.source = file.source;
    arrived.span = file.span;
    arrived.artifact = {stored->digest(), stored->type, stored->size()};
    arrived.path = file.path;
    if (callbacks_.post(arrived)) {
      fault::at(fault::Place::delivery_posted);
      seen_.offered(file);
    } else {
      unposted_.emplace_back(file, std::move(arrived));
    }
    return;
  }
  switch (stored.error().code) {
    case ErrorCode::not_found:
      if (marked_source(file) == nullptr) return;  // gone again; the watch sees it if it comes back
      break;
    case ErrorCode::conflict:
      return watch_->unsettle(file.pipeline, file.source, file.path);
    case ErrorCode::exhausted:
      break;
    default:
      report_unreadable(file, stored.error().message);
  }
  if (again_.size() < again_max) again_.push_back(file);
}

void Deliveries::report_unreadable(const SettledFile& file, const std::string& why) {
  event::TroubleFound trouble;
  trouble.id = file.pipeline + "/" + file.source + "/unreadable/" + file.path + "/" +
               std::to_string(file.facts.ctime_ns);
  trouble.pipeline = file.pipeline;
  trouble.subject = file.source + "/" + file.span;
  trouble.severity = "error";
  trouble.sentence = "the delivery " + file.path + " cannot be read: " + why +
                     "; it is tried again until it can";
  trouble.evidence = ValueTable{{"file", file.path}};
  callbacks_.post(std::move(trouble));
}

void Deliveries::after_turn(bool recorded) {
  if (recorded) {
    seen_.recorded();
  } else {
    seen_.failed();
  }
}

void Deliveries::try_again() {
  if (stopped_) return;
  while (!unposted_.empty() && callbacks_.post(unposted_.front().second)) {
    seen_.offered(unposted_.front().first);
    unposted_.pop_front();
  }
  for (const SettledFile& file : std::exchange(again_, {})) take(file);
  if (!episodes_checked_) end_old_episodes();
  save_seen();
}

// A folder that was missing when an earlier life ended and is there now: the next trouble is a new
// one.
void Deliveries::end_old_episodes() {
  episodes_checked_ = true;
  for (const WatchedSource& source : sources_) {
    if (troubles_.count({source.pipeline, source.source}) != 0) continue;
    const std::string key = trouble_key(source.pipeline, source.source);
    if (store_.meta(key).value_or("").empty()) continue;
    static_cast<void>(store_.set_meta(key, "").has_value());
  }
}

void Deliveries::save_seen() {
  if (!seen_.dirty()) return;
  if (auto saved = seen_.save(); !saved) {
    callbacks_.note("seen_files_not_saved", "", "", saved.error().message);
  }
}

void Deliveries::stop() {
  stopped_ = true;
  watch_.reset();
  save_seen();
}

std::string Deliveries::trouble_of(const std::string& pipeline, const std::string& source) const {
  const auto found = troubles_.find({pipeline, source});
  return found == troubles_.end() ? std::string() : found->second;
}

void Deliveries::on_trouble(const std::string& pipeline, const std::string& source,
                            const std::string& sentence) {
  troubles_[{pipeline, source}] = sentence;
  callbacks_.note("source_trouble", pipeline, source, sentence);
  const std::string key = trouble_key(pipeline, source);
  std::string episode = store_.meta(key).value_or("");
  if (episode.empty()) {
    episode = std::to_string(std::time(nullptr));
    // On a full disk the alert may come twice rather than not at all.
    static_cast<void>(store_.set_meta(key, episode).has_value());
  }
  event::TroubleFound trouble;
  trouble.id = pipeline + "/" + source + "/trouble/" + episode;
  trouble.pipeline = pipeline;
  trouble.subject = source;
  trouble.severity = "error";
  trouble.sentence = sentence;
  callbacks_.post(std::move(trouble));
}

void Deliveries::on_recovered(const std::string& pipeline, const std::string& source) {
  troubles_.erase({pipeline, source});
  callbacks_.note("source_recovered", pipeline, source, "");
  static_cast<void>(store_.set_meta(trouble_key(pipeline, source), "").has_value());
}

void Deliveries::on_unmatched(const std::string& pipeline, const std::string& source,
                              const std::string& path, const std::string& sentence) {
  callbacks_.note("unmatched_file", pipeline, source, sentence);
  event::TroubleFound trouble;
  trouble.id = pipeline + "/" + source + "/unmatched/" + path;
  trouble.pipeline = pipeline;
  trouble.subject = source;
  trouble.severity = "warning";
  trouble.sentence = sentence;
  trouble.evidence = ValueTable{{"file", path}};
  callbacks_.post(std::move(trouble));
}

}  // namespace pipelined
