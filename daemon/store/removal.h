// Taking rows away that a collection has decided against, a turn at a time.
//
// What to remove was decided on an older copy of the records (daemon/keeping/collect.h); each
// function looks once more, inside its turn, at what was used since that copy and leaves it alone.
// Every call is one turn of bounded length.  Loop thread; REQUIRES: no open turn.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "daemon/store/store.h"

namespace pipelined {

/// Up to where the copy reached on which the decision was taken.
struct CopyMark {
  std::int64_t seq = 0;      ///< no row of it has a higher one
  RunNumber run = 0;         ///< the newest
  TimeMs at = 0;             ///< when it was made
};

/// The mark of the records as they are now.
CopyMark mark_of(Store& store, TimeMs now);

/// Removes up to `limit` steps of an ended run, and the run itself with its attempts after the last
/// of them.  Tells whether the run is gone.  A run that was opened again or pinned stays.
Result<bool> remove_run(Store& store, RunNumber run, int limit);

/// Removes results with what they bind and measured; those in use since the copy stay.  Tells how many.
Result<std::int64_t> remove_results(Store& store, const std::vector<std::int64_t>& results,
                                    const CopyMark& copied);

/// Marks artifacts as deleted; those in use since the copy stay.  Tells which were marked: their
/// bytes may be removed now.
Result<std::vector<Digest>> tombstone(Store& store, const std::vector<std::int64_t>& artifacts,
                                      const CopyMark& copied, TimeMs now);

/// Removes the rows of deleted artifacts that nothing names any more.
Result<std::int64_t> remove_artifact_rows(Store& store, const std::vector<std::int64_t>& artifacts);

/// Removes what a resolver answered in a run.
Result<std::int64_t> remove_resolutions(Store& store,
                                        const std::vector<std::pair<Digest, RunNumber>>& rows);

/// Removes alerts with their deliveries.
Result<std::int64_t> remove_alerts(Store& store, const std::vector<std::string>& ids);

/// Removes decisions.
Result<std::int64_t> remove_decisions(Store& store, const std::vector<std::int64_t>& ids);

/// Removes versions of a pipeline that are not in force.
Result<std::int64_t> remove_versions(Store& store,
                                     const std::vector<std::pair<std::string, Digest>>& rows);

/// SQLite's own measure of a page, which nothing here changes.
inline constexpr std::int64_t database_page_bytes = 4096;

/// How many free pages the database can give back to the disk; none if an older program made the file.
std::int64_t spare_pages(Database& database);

/// Gives up to so many of them back, and tells how many: 0, there are no more.
Result<std::int64_t> give_back_pages(Store& store, std::int64_t most);

/// Notes things that were found without a use, and forgets notes of what is used again or gone.
Result<void> note_unused(Store& store, const std::vector<std::string>& noted,
                         const std::vector<std::string>& forgotten, TimeMs now);

/// Marks an artifact's bytes as wrong (or, with `now` 0, as right again).
Result<void> mark_corrupt(Store& store, const Digest& artifact, TimeMs now);

}  // namespace pipelined
