// Bytes that come from outside into the store, and copies that go out.
//
// Each file is written to tmp/ while it is hashed, made durable and only then given its name.
// Knows no queue and no callback.  Store thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/artifacts/object_folder.h"
#include "dag/manifest.h"
#include "dag/settle.h"

namespace pipelined {

/// Where intake works.
struct IntakePlace {
  int root;                                ///< the open store folder
  ObjectFolder& objects;
  std::function<std::string()> temporary;  ///< a new name below tmp/ each time
};

/// A delivered file, to be an artifact of that type.
struct IntakeOrder {
  std::string path, type;
  std::optional<FileFacts> at_rest;  ///< the file that is meant; nothing: whatever stands there
};

/// Copies delivered files into the store under their base names; what is small shares its syncs.
/// One answer an order: `conflict` when the file is not the one at rest any more or changed while it
/// was copied, `invalid` when it is no regular file.
std::vector<Result<Manifest>> take_snapshots(IntakePlace place,
                                             const std::vector<IntakeOrder>& orders);

/// One of several delivered files that are one artifact.
struct IntakeFile {
  std::string path;              ///< absolute
  std::string name;              ///< its path in the artifact
  std::optional<Digest> digest;  ///< that its content must have; nothing: any
};

/// Copies delivered files into the store as one artifact; errors as above, and `invalid` when a
/// content is not what was stated.
Result<Manifest> take_set(IntakePlace place, const std::string& type,
                          const std::vector<IntakeFile>& files);

/// Stores texts as one artifact; paths may stand in any order.
Result<Manifest> store_texts(IntakePlace place, const std::string& type,
                             const std::vector<std::pair<std::string, std::string>>& files);

/// Copies an artifact's files into a new folder and verifies every byte on the way.
Result<void> copy_out(ObjectFolder& objects, const Manifest& manifest,
                      const std::string& destination);

}  // namespace pipelined
