// From a file at rest to an arrival that the engine is told of.
//
// Watches the sources of all pipelines in force, takes a snapshot of what has settled, and hands the
// artifact on as an event.  A file that changes while it is read settles anew; a full disk or an
// unreadable file is tried again; a missing folder is an alert, once an episode.  Whether a content
// is new is the engine's to say.  Loop thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "daemon/app_seen.h"
#include "daemon/artifacts/artifacts.h"
#include "daemon/store/store.h"
#include "daemon/watch/watch.h"
#include "dag/engine.h"

namespace boost::asio {
class io_context;
}

namespace pipelined {

/// A source that nobody delivers to: the engine has it polled.
struct QueriedSource {
  std::string pipeline, source;
  std::string place;  ///< the SQLite file, or "postgresql:" and the secret's name
  std::string watermark;
};

class Deliveries {
 public:
  struct Callbacks {
    /// Gives the engine an event; false: its queue is full, it is offered again.
    std::function<bool(Event)> post;
    /// A fact for the log and for listeners.
    std::function<void(const char* word, const std::string& pipeline, const std::string& source,
                       const std::string& sentence)>
        note;
  };

  /// `state_folder`: where the list of files taken lies.  The references must outlive this.
  Deliveries(boost::asio::io_context& loop, Store& store, Artifacts& artifacts,
             std::string state_folder, Callbacks callbacks, WatchSettings settings = {});
  ~Deliveries();

  /// From now on the sources of these pipelines, each with the folder that its paths start from.
  void set_pipelines(
      const std::vector<std::pair<std::shared_ptr<const Pipeline>, std::string>>& pipelines);

  /// Call it after each turn: `recorded` says whether its events are true now.
  void after_turn(bool recorded);
  /// Offers again what found no place; call it every few seconds.
  void try_again();
  /// Takes nothing more and writes the list of files taken.
  void stop();

  /// Why a source's folder cannot be watched; empty: it can.
  std::string trouble_of(const std::string& pipeline, const std::string& source) const;
  const std::vector<WatchedSource>& sources() const { return sources_; }
  const std::vector<QueriedSource>& queried() const { return queried_; }
  /// Snapshots that are being taken or wait.
  std::size_t waiting() const { return busy_ + again_.size(); }

 private:
  using SourceName = std::pair<std::string, std::string>;
  void take(const SettledFile& file);
  void on_snapshot(const SettledFile& file, Result<Manifest> stored);
  /// The source whose spans have several files, and this is a marker of it; null: it is no such.
  const WatchedSource* marked_source(const SettledFile& file) const;
  void on_incomplete(const SettledFile& file, const Error& error);
  void report_unreadable(const SettledFile& file, const std::string& why);
  void on_trouble(const std::string& pipeline, const std::string& source,
                  const std::string& sentence);
  void on_recovered(const std::string& pipeline, const std::string& source);
  void on_unmatched(const std::string& pipeline, const std::string& source,
                    const std::string& path, const std::string& sentence);
  void save_seen();
  void end_old_episodes();

  Store& store_;
  Artifacts& artifacts_;
  Callbacks callbacks_;
  SeenFiles seen_;
  std::vector<WatchedSource> sources_;
  std::vector<QueriedSource> queried_;
  std::map<SourceName, std::string> troubles_;
  std::deque<std::pair<SettledFile, Event>> unposted_;  ///< arrivals that the queue had no room for
  std::deque<SettledFile> again_;                       ///< files to be read again later
  std::size_t busy_ = 0;
  bool stopped_ = false, episodes_checked_ = false;
  std::shared_ptr<Deliveries*> self_;  ///< late callbacks look here
  std::unique_ptr<Watch> watch_;
};

}  // namespace pipelined
