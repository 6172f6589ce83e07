// Small RAII and error-checked helpers over file descriptors.
//
// Every call says what it was doing to which file when it fails; a full disk is told apart from a
// failing one.  Knows nothing of artifacts.  Thread-safe: no state.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/posix/unique_fd.h"
#include "dag/digest.h"
#include "dag/result.h"

namespace pipelined {

/// The error of a failed system call: "doing PATH: reason; advice".  `error` is an errno value.
Error system_error(const std::string& doing, const std::string& path, int error);

/// Opens relative to a folder, close-on-exec.
Result<UniqueFd> open_at(int folder, const std::string& path, int flags, unsigned mode = 0);

/// Reads to the end, piece by piece.
Result<void> read_pieces(int file, const std::string& path,
                         const std::function<Result<void>(std::string_view)>& take);
/// SHA-256 of everything from the current position on; `size` receives how many bytes that were.
Result<Digest> hash_file(int file, const std::string& path, std::int64_t& size);
/// Writes all of it.
Result<void> write_all(int file, const std::string& path, std::string_view bytes);
/// Makes the content durable.  A failure is final: the same file must not be synced again.
Result<void> sync_file(int file, const std::string& path);
/// Makes everything on the file system of `folder` durable.
Result<void> sync_file_system(int folder, const std::string& path);
/// Makes a directory; one that is there already is no error.
Result<void> make_folder(int folder, const std::string& path, unsigned mode);
/// Names of the entries of a folder below `root`, in no order.
Result<std::vector<std::string>> entries_of(int root, const std::string& path);
/// Whether the text is well-formed UTF-8.
bool is_utf8(std::string_view text);

/// Sets the mode of a folder as far as that is possible: what needs it fails with its own sentence.
/// REQUIRES: `path` is a folder of ours, not a link.
void set_folder_mode(int root, const std::string& path, unsigned mode);

}  // namespace pipelined
