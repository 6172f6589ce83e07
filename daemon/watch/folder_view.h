// A look at folders and files: what is there, without opening any file.
//
// Plain system calls; symbolic links below the folder are seen, never followed.  Any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dag/result.h"
#include "dag/settle.h"

namespace pipelined {

/// One entry of a folder.
struct FolderEntry {
  std::string name;
  enum class Kind { file, folder, link, other } kind = Kind::file;
  FileFacts facts;
};

/// The entries of a folder in the order of their names, without those that is_ignored_name leaves
/// alone.  Errors: not_found, denied, io, each with a sentence that tells what to do.
Result<std::vector<FolderEntry>> list_folder(const std::string& path);

/// The entry at `path`, or nothing when there is none.
std::optional<FolderEntry> look_at(const std::string& path);

/// The nearest folder above `path` that exists.
std::string nearest_existing_parent(const std::string& path);

}  // namespace pipelined
