// Statistics of plain files: computed by `data.statistics`, or read if the file holds them already.
//
// What the verbs `stats …` have in common.  Knows no tables for people.  One thread.
#pragma once

#include <string>

#include "cli/local_run.h"
#include "cli/session.h"

namespace pipelined::cli {

/// What is known of a file that a verb was given.
struct FileStatistics {
  LocalArtifact artifact;   ///< statistics/1
  std::string json;         ///< its text
};

/// What `data.statistics` is told by --label, --weight, --slice and --where.
Result<ValueTable> statistics_params(const Session& session);

/// The statistics of a table in files of any format, of a statistics.json, or of a .pb as TFDV writes it.
Result<FileStatistics> statistics_of(LocalRun& local, const std::string& path,
                                     const ValueTable& params);

/// The bytes of a DatasetFeatureStatisticsList, which TFDV and Facets read.
Result<std::string> proto_of(LocalRun& local, const LocalArtifact& statistics);

/// The page of `data.report` over these statistics and, if there are any, those before; nothing is
/// written when `page` is empty.  The result is comparison.json, empty without a `before`.
Result<std::string> compare_statistics(LocalRun& local, const LocalArtifact* before,
                                       const LocalArtifact& now, const ValueTable& names,
                                       const std::string& page);

}  // namespace pipelined::cli
