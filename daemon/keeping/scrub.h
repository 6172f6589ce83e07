// Reading stored objects again and again, slowly, so that a disk that forgets is noticed early.
//
// `read_objects` hashes what recorded artifacts consist of, on a copy of the records and no faster than
// it may; any thread.  `Scrub` then looks once more at each that seemed wrong, through the store, which
// sets wrong objects apart, marks their artifacts, and tells; loop thread.  It mends nothing: a marked
// artifact counts as lost, so whatever needs it makes it again.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/artifacts/artifacts.h"
#include "daemon/keeping/report.h"
#include "daemon/store/store.h"

namespace pipelined {

/// How to read.
struct ScrubOptions {
  std::string store;                          ///< the store folder
  std::int64_t bytes_per_second = 0;          ///< 0: as fast as it goes
  std::int64_t after = 0;                     ///< the id of the artifact after which to begin
  std::int64_t seconds_max = 0;               ///< then no further artifact is begun; 0: all are
  const std::atomic<bool>* stop = nullptr;
  std::atomic<std::int64_t>* progress = nullptr;  ///< counts objects
};

/// What reading found.
struct ScrubFound {
  std::int64_t artifacts = 0, objects = 0, bytes = 0;
  std::int64_t last = 0;                      ///< id of the last artifact; 0: all were read
  std::vector<Digest> wrong;                  ///< artifacts, oldest first
};

/// Reads every object of every artifact that is not deleted or marked already, each once.
Result<ScrubFound> read_objects(Database& records, const ScrubOptions& options);

/// What an artifact that is wrong means and how it is made again, as a sentence.
std::string remedy_of(Store& store, const Digest& artifact);

class Scrub {
 public:
  struct Parts {
    Store& store;
    Artifacts& artifacts;
    /// A wrong artifact was found; the sentence says what to do.
    std::function<void(const Digest&, const std::string& sentence)> tell;
  };
  using Done = std::function<void(Result<Report>)>;

  /// The references must outlive this; `done` is called once, unless this goes before.
  Scrub(Parts parts, ScrubFound found, TimeMs now, Done done);
  void start() { next(0); }

 private:
  void next(std::size_t place);
  void on_verdict(std::size_t place, const Result<Verdict>& verdict);

  Parts parts_;
  ScrubFound found_;
  TimeMs now_;
  Done done_;
  ReportRow row_;
  std::shared_ptr<Scrub*> self_;   ///< late callbacks look here
};

}  // namespace pipelined
