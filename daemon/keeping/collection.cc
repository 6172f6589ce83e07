#include "daemon/keeping/collection.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace pipelined {
namespace {

// Small enough that a turn with one of them is not felt.
constexpr std::size_t slice = 256;
constexpr int steps_a_turn = 2000;
constexpr int pages_a_turn = 500;

}  // namespace

Collection::Collection(Parts parts, CollectPlan plan, CopyMark copied,
                       const RetentionPolicy& policy, TimeMs now, Done done)
    : parts_(std::move(parts)),
      plan_(std::move(plan)),
      copied_(copied),
      policy_(policy),
      now_(now),
      done_(std::move(done)),
      self_(std::make_shared<Collection*>(this)) {}

Collection::~Collection() { self_.reset(); }

ReportRow& Collection::row(const char* name) {
  const auto found = std::find_if(plan_.report.begin(), plan_.report.end(),
                                  [name](const ReportRow& each) { return each.name == name; });
  CHECK(found != plan_.report.end());
  return *found;
}

template <class List, class Act>
void Collection::in_slices(const List& list, Act act) {
  for (std::size_t first = 0; first < list.size(); first += slice) {
    const std::size_t last = std::min(first + slice, list.size());
    const auto begin = list.begin();
    List part(begin + static_cast<std::ptrdiff_t>(first), begin + static_cast<std::ptrdiff_t>(last));
    steps_.push_back([act, part = std::move(part)]() -> Result<void> { return act(part); });
  }
}

void Collection::start() {
  add_row_steps();
  steps_.push_back([this] { return give_back(); });
  add_file_steps();
  go_on();
}

void Collection::add_row_steps() {
  // Until each is carried out nothing was removed; what stayed after all is not counted.
  for (ReportRow& each : plan_.report) each.found = each.bytes = 0;
  for (const RunNumber run : plan_.runs) {
    steps_.push_back([this, run] { return take_run(run); });
  }
  const auto counted = [this](const char* name, auto remove) {
    return [this, name, remove](const auto& part) -> Result<void> {
      TRY(removed, remove(part));
      row(name).found += removed;
      return {};
    };
  };
  Store& store = parts_.store;
  in_slices(plan_.resolutions, counted("resolutions", [&store](const auto& part) {
              return remove_resolutions(store, part);
            }));
  in_slices(plan_.results, counted("results", [&store, this](const auto& part) {
              return remove_results(store, part, copied_);
            }));
  in_slices(plan_.alerts, counted("alerts", [&store](const auto& part) {
              return remove_alerts(store, part);
            }));
  in_slices(plan_.decisions, counted("decisions", [&store](const auto& part) {
              return remove_decisions(store, part);
            }));
  in_slices(plan_.versions, counted("versions", [&store](const auto& part) {
              return remove_versions(store, part);
            }));
  in_slices(plan_.artifacts, [this](const auto& part) -> Result<void> {
    TRY(marked, tombstone(parts_.store, part, copied_, now_));
    row("artifacts").found += static_cast<std::int64_t>(marked.size());
    marked_.insert(marked_.end(), marked.begin(), marked.end());
    return {};
  });
  in_slices(plan_.artifact_rows, [this](const auto& part) -> Result<void> {
    TRY(removed, remove_artifact_rows(parts_.store, part));
    static_cast<void>(removed);
    return {};
  });
  in_slices(plan_.noted, [this](const auto& part) {
    return note_unused(parts_.store, part, {}, now_);
  });
  in_slices(plan_.forgotten, [this](const auto& part) {
    return note_unused(parts_.store, {}, part, now_);
  });
}

Result<void> Collection::take_run(RunNumber run) {
  TRY(finished, remove_run(parts_.store, run, steps_a_turn));
  if (!finished) {
    steps_.push_front([this, run] { return take_run(run); });
  } else if (!parts_.store.find_run(run)) {
    ++row("runs").found;
  }
  return {};
}

Result<void> Collection::give_back() {
  TRY(given, give_back_pages(parts_.store, pages_a_turn));
  if (given == 0) return {};
  ReportRow& pages = row("pages");
  pages.found += given;
  pages.bytes += given * database_page_bytes;
  steps_.push_front([this] { return give_back(); });
  return {};
}

void Collection::add_file_steps() {
  // The last row step has been committed when this one runs.
  steps_.push_back([this]() -> Result<void> {
    std::unordered_set<std::string> shared;
    const std::unordered_set<Digest> marked(marked_.begin(), marked_.end());
    for (const auto& [digest, objects] : plan_.objects_of) {
      if (marked.count(digest) == 0) shared.insert(objects.begin(), objects.end());
    }
    std::unordered_set<std::string> objects;
    for (const Digest& digest : marked) {
      plan_.trees.push_back("trees/" + digest.hex());
      for (const std::string& name : plan_.objects_of[digest]) {
        if (shared.count(name) == 0) objects.insert(name);
      }
    }
    // Trees first: an object's space is free when its last name is gone.
    add_sweep(std::move(plan_.trees), "trees");
    add_sweep(std::move(plan_.checkpoints), "checkpoints");
    add_sweep({objects.begin(), objects.end()}, "artifacts");
    add_sweep(std::move(plan_.objects), "objects");
    add_sweep(std::move(plan_.logs), "logs");
    return {};
  });
}

void Collection::add_sweep(std::vector<std::string> names, const char* name) {
  in_slices(names, [this, name](const auto& part) -> Result<void> {
    sweep(part, name);
    return {};
  });
}

void Collection::sweep(std::vector<std::string> names, const char* name) {
  waiting_ = true;
  const TimeMs young = now_ - std::max<std::int64_t>(policy_.unused_hours, 1) * 3'600'000;
  parts_.artifacts.sweep(std::move(names), young,
                         [self = std::weak_ptr(self_), name](Result<Swept> swept) {
                           const auto here = self.lock();
                           if (!here) return;
                           Collection& inside = **here;
                           inside.waiting_ = false;
                           if (!swept) return inside.finish(swept.error());
                           ReportRow& row = inside.row(name);
                           row.bytes += swept->bytes;
                           if (row.name != "artifacts") row.found += swept->files;
                           inside.go_on();
                         });
}

void Collection::go_on() {
  if (steps_.empty()) return finish(std::move(plan_.report));
  const Step step = std::move(steps_.front());
  steps_.pop_front();
  if (auto done = step(); !done) return finish(done.error());
  if (waiting_) return;
  parts_.post([self = std::weak_ptr(self_)] {
    if (const auto here = self.lock()) (*here)->go_on();
  });
}

void Collection::finish(Result<Report> report) {
  const Done done = std::exchange(done_, {});
  if (done) done(std::move(report));
}

}  // namespace pipelined
