// Which program a command step runs, and the digest of its bytes.
//
// A command's key holds the digest of the program that argv[0] names, so that an updated compiler or
// script makes its steps run again.  Names are looked up on the system's own path, never on the
// environment's.  Digests are remembered by inode, size and time of change.  Loop thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>

#include "dag/digest.h"
#include "dag/pipeline.h"
#include "dag/result.h"

namespace pipelined {

/// The folders that programs of command steps are looked up in.
inline constexpr const char* system_path =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A program by its absolute path, with the digest of its content.
struct Program {
  std::string path;
  Digest digest;
};

class Programs {
 public:
  /// Finds and hashes a program: an absolute path, or a name on the system's path.  Errors:
  /// `not_found` names where was looked, `invalid` a relative path, `io`.
  Result<Program> find(const std::string& name);

  /// The same pipeline whose command steps name the digest of their program among the libraries of
  /// their operator ("program /usr/bin/cp").  A program that is not there is left out: the attempt
  /// will say so, and the key changes when it appears.
  std::shared_ptr<const Pipeline> with_programs(std::shared_ptr<const Pipeline> pipeline);

 private:
  using Identity = std::tuple<std::uint64_t, std::uint64_t, std::int64_t, std::int64_t, std::int64_t>;
  Result<Digest> digest_of(const std::string& path);
  std::map<Identity, Digest> known_;
};

}  // namespace pipelined
