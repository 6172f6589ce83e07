#include "daemon/watch/watch.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <set>

#include "dag/span_pattern.h"
#include "daemon/watch/folder_events.h"
#include "daemon/watch/folder_view.h"

namespace pipelined {
namespace {

namespace asio = boost::asio;
using Milliseconds = std::chrono::milliseconds;

std::int64_t steady_now_ms() {
  return std::chrono::duration_cast<Milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::string without_trailing_slash(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

bool lies_in(std::string_view path, std::string_view folder) {
  if (folder == "/") return path.starts_with('/');
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

// `path` without `folder` and the slash between.  REQUIRES: lies_in(path, folder).
std::string below(const std::string& path, const std::string& folder) {
  return path.substr(folder == "/" ? 1 : folder.size() + 1);
}

// One source under watch: its files on their way to rest and what was already said of it.
struct Place {
  Place(WatchedSource source, SpanPattern span_pattern)
      : spec(std::move(source)),
        pattern(std::move(span_pattern)),
        root(without_trailing_slash(spec.folder)),
        base(pattern.folder().empty() ? root : root + '/' + pattern.folder()),
        files(spec.settle_ms),
        strays(spec.settle_ms) {
    if (auto marked = SpanPattern::parse(spec.files); marked) parts = *std::move(marked);
  }

  std::optional<SpanMatch> match(const std::string& path) const {
    if (!lies_in(path, root)) return std::nullopt;
    return pattern.match(below(path, root));
  }
  // One of the files that a marker speaks for: no delivery by itself, and no stray.
  bool is_part(const std::string& path) const {
    if (spec.manifest) return lies_in(path, base);  // it may name anything
    return parts && lies_in(path, root) && parts->match(below(path, root)).has_value();
  }
  bool may_hold_parts(const std::string& folder) const {
    if (spec.manifest) return lies_in(folder, base);
    if (!parts) return false;
    const std::string start = parts->folder().empty() ? root : root + '/' + parts->folder();
    return folder == start || lies_in(start, folder) ||
           (lies_in(folder, start) && parts->may_hold(below(folder, start)));
  }
  bool may_hold(const std::string& folder) const {
    return folder == base || (lies_in(folder, base) && pattern.may_hold(below(folder, base)));
  }
  // A pattern without a folder of its own shares the pipeline's: what else lies there is no stray.
  bool owns_folder() const { return base != root; }

  WatchedSource spec;
  SpanPattern pattern;
  std::optional<SpanPattern> parts;
  std::string root, base;
  Settling files, strays;
  std::set<std::string> strays_said;
  std::size_t number = 0;  // its place among the sources
  std::string trouble;     // the sentence said last; empty: all is well
};

// A file that came to rest, with what orders it among others of its source.
struct Delivery {
  std::size_t place = 0;  // order of the sources
  SpanMatch match;
  SettledFile file;

  // Older spans first, so that arrivals are numbered in the order that people expect.
  bool operator<(const Delivery& other) const {
    if (place != other.place) return place < other.place;
    if (span_before(match.span, other.match.span)) return true;
    if (span_before(other.match.span, match.span)) return false;
    return match.version < other.match.version;
  }
};

}  // namespace

// Lives as long as a handler of it is under way; `stop` makes the late ones do nothing.
class Watch::Loop : public std::enable_shared_from_this<Loop> {
 public:
  Loop(asio::io_context& loop, WatchCallbacks callbacks, WatchSettings settings)
      : loop_(loop), callbacks_(std::move(callbacks)), settings_(settings), readable_(loop),
        settle_timer_(loop), rescan_timer_(loop), retry_timer_(loop) {}

  void stop() {
    stopped_ = true;
    if (readable_.is_open()) readable_.release();  // the descriptor belongs to folders_
    settle_timer_.cancel();
    rescan_timer_.cancel();
    retry_timer_.cancel();
  }

  template <class Work>
  void soon(Work work) {
    asio::post(loop_, [self = shared_from_this(), work = std::move(work)]() mutable {
      if (!self->stopped_) self->turn(std::move(work));
    });
  }

  void set_sources(std::vector<WatchedSource> sources);
  void rescan();
  void unsettle(const std::string& pipeline, const std::string& source, const std::string& path);
  std::size_t watched_folders() const { return folders_ ? folders_->count() : 0; }

 private:
  // Callbacks are gathered while state changes and made at the end of the turn, so that they may
  // call anything here.
  template <class Work>
  void turn(Work work) {
    work();
    hand_over();
    auto calls = std::exchange(calls_, {});
    for (auto& call : calls) {
      if (stopped_) return;
      call();
    }
    if (!stopped_) arm_settle_timer();
  }
  void say(std::function<void()> call) { calls_.push_back(std::move(call)); }

  void open_queue();
  void await_events();
  void take_events();
  void take_event(const FolderEvent& event, std::set<Place*>& dirty);
  void scan(Place& place);
  bool scan_folder(Place& place, const std::string& folder, std::set<std::string>& seen);
  void scan_entry(Place& place, const std::string& path, const FolderEntry& entry,
                  std::set<std::string>& seen);
  void forget_unseen(Place& place, const std::set<std::string>& seen);
  void trouble(Place& place, const std::string& sentence);
  void recovered(Place& place);
  void look(Place& place, const std::string& path, const std::optional<FolderEntry>& entry,
            bool stirred);
  bool is_stray(const Place& place, const std::string& path, const FolderEntry& entry) const;
  void say_stray(Place& place, const std::string& path);
  void hand_over();
  void look_at_due();
  void arm_settle_timer();
  void arm_rescan_timer();
  void arm_retry_timer();

  asio::io_context& loop_;
  WatchCallbacks callbacks_;
  WatchSettings settings_;
  std::optional<FolderWatches> folders_;
  asio::posix::stream_descriptor readable_;
  asio::steady_timer settle_timer_, rescan_timer_, retry_timer_;
  std::vector<std::unique_ptr<Place>> places_;
  std::set<std::string> wanted_folders_;  // by the scan that goes on
  std::vector<std::function<void()>> calls_;
  std::vector<Delivery> settled_;  // of this turn
  std::optional<std::int64_t> armed_for_;
  bool stopped_ = false;
};

// ---- Which sources there are ------------------------------------------------------------------------

void Watch::Loop::set_sources(std::vector<WatchedSource> sources) {
  if (!folders_) open_queue();
  std::vector<std::unique_ptr<Place>> places;
  for (WatchedSource& source : sources) {
    const auto same = std::find_if(places_.begin(), places_.end(), [&](const auto& place) {
      return place && place->spec == source;
    });
    if (same != places_.end()) {
      places.push_back(std::move(*same));
      continue;
    }
    auto pattern = SpanPattern::parse(source.pattern);
    if (pattern) {
      places.push_back(std::make_unique<Place>(std::move(source), *std::move(pattern)));
    } else if (callbacks_.on_trouble) {
      say([this, source, sentence = pattern.error().message] {
        callbacks_.on_trouble(source.pipeline, source.source, sentence);
      });
    }
  }
  places_ = std::move(places);
  for (std::size_t i = 0; i < places_.size(); ++i) places_[i]->number = i;
  rescan();
}

void Watch::Loop::rescan() {
  wanted_folders_.clear();
  for (const auto& place : places_) scan(*place);
  if (folders_) folders_->keep_only(wanted_folders_);
  arm_rescan_timer();
}

void Watch::Loop::unsettle(const std::string& pipeline, const std::string& source,
                           const std::string& path) {
  for (const auto& place : places_) {
    if (place->spec.pipeline != pipeline || place->spec.source != source) continue;
    place->files.unsettle(path, steady_now_ms());
  }
}

// ---- Events -----------------------------------------------------------------------------------------

void Watch::Loop::open_queue() {
  auto opened = FolderWatches::open();
  if (!opened) return;  // every scan says so through the folders that it cannot watch
  folders_.emplace(*std::move(opened));
  readable_.assign(folders_->descriptor());
  await_events();
}

void Watch::Loop::await_events() {
  readable_.async_wait(asio::posix::stream_descriptor::wait_read,
                       [self = shared_from_this()](const boost::system::error_code& error) {
                         if (error || self->stopped_) return;
                         self->turn([&] { self->take_events(); });
                         if (!self->stopped_) self->await_events();
                       });
}

void Watch::Loop::take_events() {
  const FolderEvents read = folders_->read();
  if (read.overflow) return rescan();
  // A path that many events name is looked at once.
  std::map<std::string, FolderEvent> by_path;
  for (const FolderEvent& event : read.events) {
    FolderEvent& merged = by_path.try_emplace(event.path, event).first->second;
    merged.stirred = merged.stirred || event.stirred;
    merged.is_folder = merged.is_folder || event.is_folder;
    merged.folder_lost = merged.folder_lost || event.folder_lost;
  }
  std::set<Place*> dirty;
  for (const auto& [path, event] : by_path) take_event(event, dirty);
  for (Place* place : dirty) scan(*place);
  look_at_due();
}

void Watch::Loop::take_event(const FolderEvent& event, std::set<Place*>& dirty) {
  for (const auto& place : places_) {
    if (event.is_folder || event.folder_lost) {
      const bool concerns = event.path == place->base || lies_in(place->base, event.path) ||
                            lies_in(event.path, place->base);
      if (concerns) dirty.insert(place.get());
    } else if (lies_in(event.path, place->base) &&
               !is_ignored_name(event.path.substr(event.path.rfind('/') + 1))) {
      look(*place, event.path, look_at(event.path), event.stirred);
    }
  }
}

// ---- Full looks ---------------------------------------------------------------------------------------

void Watch::Loop::scan(Place& place) {
  std::set<std::string> seen;
  if (scan_folder(place, place.base, seen)) {
    forget_unseen(place, seen);
    recovered(place);
    return;
  }
  // Not there: what is above it tells when it comes.  Files that were seen may be back with it.
  const std::string parent = nearest_existing_parent(place.base);
  wanted_folders_.insert(parent);
  if (folders_) (void)folders_->watch(parent).has_value();
}

bool Watch::Loop::scan_folder(Place& place, const std::string& folder,
                              std::set<std::string>& seen) {
  // Watched before it is listed: what comes in between is told by one or the other.
  std::string blind;
  if (!folders_) {
    blind = "the system gives no more inotify instances";
  } else if (const auto watched = folders_->watch(folder); !watched) {
    blind = watched.error().message;
  }
  const auto entries = list_folder(folder);
  if (!entries) {
    if (folder != place.base && entries.error().code == ErrorCode::not_found) return true;
    trouble(place, entries.error().message);
    return false;
  }
  if (!blind.empty()) trouble(place, blind + "; it is looked at again and again instead");
  wanted_folders_.insert(folder);
  bool complete = blind.empty();
  for (const FolderEntry& entry : *entries) {
    const std::string path = (folder == "/" ? "" : folder) + '/' + entry.name;
    if (entry.kind == FolderEntry::Kind::folder && place.may_hold(path)) {
      complete = scan_folder(place, path, seen) && complete;
    } else {
      scan_entry(place, path, entry, seen);
    }
  }
  return complete;
}

void Watch::Loop::scan_entry(Place& place, const std::string& path, const FolderEntry& entry,
                             std::set<std::string>& seen) {
  seen.insert(path);
  look(place, path, entry, false);
}

void Watch::Loop::forget_unseen(Place& place, const std::set<std::string>& seen) {
  for (const std::string& path : place.files.paths()) {
    if (seen.count(path) == 0) place.files.forget(path);
  }
  for (const std::string& path : place.strays.paths()) {
    if (seen.count(path) == 0) place.strays.forget(path);
  }
  std::erase_if(place.strays_said, [&](const auto& path) { return seen.count(path) == 0; });
}

void Watch::Loop::trouble(Place& place, const std::string& sentence) {
  if (place.trouble == sentence) return arm_retry_timer();
  place.trouble = sentence;
  arm_retry_timer();
  if (!callbacks_.on_trouble) return;
  say([this, source = place.spec, sentence] {
    callbacks_.on_trouble(source.pipeline, source.source, sentence);
  });
}

void Watch::Loop::recovered(Place& place) {
  if (place.trouble.empty()) return;
  place.trouble.clear();
  if (!callbacks_.on_recovered) return;
  say([this, source = place.spec] { callbacks_.on_recovered(source.pipeline, source.source); });
}

// ---- Single entries -----------------------------------------------------------------------------------

void Watch::Loop::look(Place& place, const std::string& path,
                       const std::optional<FolderEntry>& entry, bool stirred) {
  const std::int64_t now_ms = steady_now_ms();
  if (!entry) {
    place.files.forget(path);
    place.strays.forget(path);
    place.strays_said.erase(path);
    return;
  }
  const auto match = place.match(path);
  if (entry->kind == FolderEntry::Kind::file && match) {
    if (place.files.look(path, entry->facts, now_ms, stirred) == SettleState::settled) {
      const WatchedSource& source = place.spec;
      settled_.push_back(
          {place.number, *match, {source.pipeline, source.source, match->span, path, entry->facts}});
    }
    return;
  }
  place.files.forget(path);  // a link or a folder may have taken a file's place
  if (!is_stray(place, path, *entry) || place.strays_said.count(path) > 0) return;
  if (place.strays.look(path, entry->facts, now_ms, stirred) == SettleState::settled) {
    say_stray(place, path);
  }
}

bool Watch::Loop::is_stray(const Place& place, const std::string& path,
                           const FolderEntry& entry) const {
  if (!place.owns_folder()) return false;
  for (const auto& other : places_) {
    if (entry.kind == FolderEntry::Kind::folder) {
      if (other->may_hold(path) || lies_in(other->base, path)) return false;
      if (other->may_hold_parts(path)) return false;
    } else if (entry.kind == FolderEntry::Kind::file &&
               (other->match(path) || other->is_part(path))) {
      return false;
    }
  }
  // Of several sources that share a folder the first speaks.
  for (const auto& other : places_) {
    if (other->owns_folder() && lies_in(path, other->base)) return other.get() == &place;
  }
  return false;
}

void Watch::Loop::say_stray(Place& place, const std::string& path) {
  place.strays_said.insert(path);
  const auto entry = look_at(path);
  if (!entry || !callbacks_.on_unmatched) return;
  std::string why = "is a link, a pipe or a device; only plain files are taken";
  if (entry->kind == FolderEntry::Kind::file) {
    why = "does not match the path \"" + place.spec.pattern + "\" of source " +
          place.spec.source + ", so it is not taken";
  } else if (entry->kind == FolderEntry::Kind::folder) {
    why = "is a folder, and no source has a path that leads into it";
  }
  say([this, source = place.spec, path, sentence = path + ' ' + why] {
    callbacks_.on_unmatched(source.pipeline, source.source, path, sentence);
  });
}

void Watch::Loop::hand_over() {
  auto settled = std::exchange(settled_, {});
  std::stable_sort(settled.begin(), settled.end());
  for (Delivery& delivery : settled) {
    say([this, file = std::move(delivery.file)] {
      if (callbacks_.already_known && callbacks_.already_known(file)) return;
      if (callbacks_.on_settled) callbacks_.on_settled(file);
    });
  }
}

// ---- Timers -------------------------------------------------------------------------------------------

void Watch::Loop::look_at_due() {
  const std::int64_t now_ms = steady_now_ms();
  for (const auto& place : places_) {
    for (const std::string& path : place->files.due(now_ms)) {
      look(*place, path, look_at(path), false);
    }
    for (const std::string& path : place->strays.due(now_ms)) {
      look(*place, path, look_at(path), false);
    }
  }
}

void Watch::Loop::arm_settle_timer() {
  std::optional<std::int64_t> next;
  for (const auto& place : places_) {
    for (const Settling* settling : {&place->files, &place->strays}) {
      const auto due = settling->next_due();
      if (due && (!next || *due < *next)) next = due;
    }
  }
  if (next == armed_for_) return;
  armed_for_ = next;
  if (!next) {
    settle_timer_.cancel();
    return;
  }
  settle_timer_.expires_at(std::chrono::steady_clock::time_point(Milliseconds(*next)));
  settle_timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (error || self->stopped_) return;
    self->armed_for_.reset();
    self->turn([&] { self->look_at_due(); });
  });
}

void Watch::Loop::arm_rescan_timer() {
  rescan_timer_.expires_after(Milliseconds(settings_.rescan_ms));
  rescan_timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error && !self->stopped_) self->turn([&] { self->rescan(); });
  });
}

void Watch::Loop::arm_retry_timer() {
  retry_timer_.expires_after(Milliseconds(settings_.retry_ms));
  retry_timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (error || self->stopped_) return;
    self->turn([&] {
      for (const auto& place : self->places_) {
        if (!place->trouble.empty()) self->scan(*place);
      }
    });
  });
}

// ---- The door -----------------------------------------------------------------------------------------

Watch::Watch(asio::io_context& loop, WatchCallbacks callbacks, WatchSettings settings)
    : loop_(std::make_shared<Loop>(loop, std::move(callbacks), settings)) {}

Watch::~Watch() { loop_->stop(); }

void Watch::set_sources(std::vector<WatchedSource> sources) {
  loop_->soon([loop = loop_.get(), sources = std::move(sources)]() mutable {
    loop->set_sources(std::move(sources));
  });
}

void Watch::unsettle(const std::string& pipeline, const std::string& source,
                     const std::string& path) {
  loop_->soon([loop = loop_.get(), pipeline, source, path] {
    loop->unsettle(pipeline, source, path);
  });
}

void Watch::rescan() {
  loop_->soon([loop = loop_.get()] { loop->rescan(); });
}

std::size_t Watch::watched_folders() const { return loop_->watched_folders(); }

}  // namespace pipelined
