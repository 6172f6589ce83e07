// Watches the folders of file sources and says which deliveries have come to rest.
//
// inotify events are hints: each makes it look, none is believed.  A full look happens at the start,
// after lost events, for every new folder, and every minute.  A folder that is missing or unreadable
// is trouble that is said once, and kept trying.  It opens no delivered file: whoever takes the
// snapshot does, and calls `unsettle` if the bytes still change.  Nothing is handed over twice in one
// life; `already_known` lets the owner spare itself unchanged files after a restart.
// All calls and callbacks on the loop thread; callbacks never run inside a call into this class.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dag/settle.h"

namespace boost::asio {
class io_context;
}

namespace pipelined {

/// A source of kind "files" of one pipeline.
struct WatchedSource {
  std::string pipeline, source;
  std::string folder;   ///< absolute: where the pattern starts from
  std::string pattern;  ///< relative, "incoming/{YYYY}-{MM}.csv"; checked before
  std::int64_t settle_ms = 2000;
  /// Of a source whose spans have several files: their pattern, and `pattern` is that of the marker
  /// which says that a span is complete.
  std::string files = {};
  bool manifest = false;  ///< the marker lists the files
  bool operator==(const WatchedSource&) const = default;
};

/// A delivery at rest.
struct SettledFile {
  std::string pipeline, source, span;
  std::string path;  ///< absolute
  FileFacts facts;   ///< as they were at rest; a snapshot of anything else is not this delivery
};

/// Who hears of it.  Every function may be left empty.
struct WatchCallbacks {
  std::function<void(const SettledFile&)> on_settled;
  /// Whether this very file was taken in an earlier life: then it is not handed over.
  std::function<bool(const SettledFile&)> already_known;
  /// A file (or folder) of the source's folder that no source takes, once for each path.
  std::function<void(const std::string& pipeline, const std::string& source,
                     const std::string& path, const std::string& sentence)>
      on_unmatched;
  std::function<void(const std::string& pipeline, const std::string& source,
                     const std::string& sentence)>
      on_trouble;
  std::function<void(const std::string& pipeline, const std::string& source)> on_recovered;
};

/// Times and sizes that tests shorten.
struct WatchSettings {
  std::int64_t rescan_ms = 60'000;  ///< between full looks
  std::int64_t retry_ms = 1'000;    ///< between looks for a missing folder
};

class Watch {
 public:
  Watch(boost::asio::io_context& loop, WatchCallbacks callbacks, WatchSettings settings = {});
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  /// From now on exactly these.  Sources that stay as they were keep what they know.
  void set_sources(std::vector<WatchedSource> sources);

  /// The file was still changing when it was read: it must settle again and is handed over anew.
  void unsettle(const std::string& pipeline, const std::string& source, const std::string& path);

  /// A full look at everything, as after lost events.
  void rescan();

  /// Folders under watch now, for status pages and tests.
  std::size_t watched_folders() const;

 private:
  class Loop;
  std::shared_ptr<Loop> loop_;
};

}  // namespace pipelined
