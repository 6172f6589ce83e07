// What the records ask of whoever keeps the bytes of artifacts.
//
// A manifest is recorded in the database by the first commit after its files are durable; until
// then the keeper of the bytes remembers it.  This header knows neither SQLite nor a folder, so
// that records and bytes can be built and tested apart.  Everything is called on the loop thread.
#pragma once

#include <cstddef>
#include <vector>

#include "dag/manifest.h"

namespace pipelined {

/// The bytes of artifacts as the records see them.
class ObjectView {
 public:
  virtual ~ObjectView() = default;

  /// Manifests whose files are durable but which no commit has recorded, oldest first.
  virtual const std::vector<Manifest>& unrecorded() const = 0;
  /// The one of `unrecorded` with that digest; null when there is none.
  virtual const Manifest* find_unrecorded(const Digest& artifact) const = 0;
  /// The first `count` of `unrecorded` now stand in the records.
  virtual void forget_unrecorded(std::size_t count) = 0;
  /// Whether every object of the manifest is there with its size.  Looks at sizes, reads no byte.
  virtual bool is_whole(const Manifest& manifest) = 0;
};

}  // namespace pipelined
