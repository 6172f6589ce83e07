// What travels about backfills and results that are declared bad: a part of protocol.h.
//
// Plain structs like the others there, with the same readers and writers.  Knows nothing of HTTP,
// sockets or the engine.
#pragma once

#include "daemon/api/protocol.h"

namespace pipelined::protocol {

/// Request of a backfill, and of what it would do.
struct BackfillRequest {
  std::string pipeline, source;    ///< source may be left out when there is only one
  std::string spans;               ///< "2013-01..2013-06"
  std::string reprocess = "none", order = "oldest";
  std::int64_t chunk = 1, max_active = 1;
  ValueTable params;
  std::vector<std::string> force;
  std::string select, why;
};
struct PlannedSpan {
  std::string span, state;
  bool runs = false;
  std::string why;
  std::int64_t steps_to_run = 0, steps_to_reuse = 0;  ///< of the run that it stands first in
};
struct BackfillPlan {
  std::string pipeline;
  std::vector<PlannedSpan> spans;
};
struct Backfill {
  std::int64_t id = 0;
  std::string pipeline, source, asked, reprocess, order, state;
  std::int64_t chunk = 1, max_active = 1, spans = 0, begun = 0;
  std::string who, why;
  Time created_at, ended_at;
};
struct BackfillList {
  std::vector<Backfill> backfills;
};

/// Request to declare results bad: a key, or a step of a pipeline.
struct InvalidateRequest {
  std::string key, pipeline, step, element;
  bool below = false;              ///< also what was made from them
  std::string why;
};
/// A result with what was made from it.
struct Dependent {
  std::int64_t result = 0, cause = 0;  ///< cause: the result that it was made from; 0: named itself
  std::string pipeline, step, element;
  std::int64_t run = 0;
  std::string artifact, type;          ///< its first output
};
struct DependentList {
  std::vector<Dependent> results;
};

}  // namespace pipelined::protocol
