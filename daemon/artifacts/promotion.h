// Moving what attempts delivered into the store, many attempts at a time.
//
// One batch: look at and hash all outputs, make all bytes durable with one sync, rename all, make
// the names durable.  An attempt whose renames meet a full disk gets its files back, so that it may
// be promoted again later.  Knows no queue and no callback.  Store thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/artifacts/object_folder.h"
#include "daemon/artifacts/output_walk.h"
#include "dag/result.h"
#include "dag/spec.h"

namespace pipelined {

/// The outputs of one attempt.
struct PromotionOrder {
  std::string folder;               ///< of the attempt, below the store folder
  std::vector<OutputSpec> outputs;  ///< the ports that it says it wrote
};

/// What one output became.
struct PromotedOutput {
  std::string port;
  Digest digest;
  Manifest manifest;
};

/// What became of one order: an error, a refusal, or its outputs; ports without a file are left out.
struct PromotionOutcome {
  std::optional<Error> error;
  std::string refused;
  std::vector<PromotedOutput> outputs;
};

/// Counts over all batches; written by the store thread, read by any.
struct PromotionTotals {
  std::atomic<std::int64_t> batches{0}, files{0}, bytes{0}, deduplicated{0};
};

/// Promotes the orders together; outcomes stand in the same order.  `root` is the store folder.
std::vector<PromotionOutcome> promote_batch(ObjectFolder& objects, int root,
                                            const std::vector<PromotionOrder>& orders,
                                            PromotionTotals& totals);

}  // namespace pipelined
