// Artifacts and runs that a person asked to keep, whatever their age.
//
// One row each, with who and why.  What follows from a pin is decided by collections
// (dag/retention.h).  Loop thread; outside a turn.
#pragma once

#include <string>
#include <vector>

#include "daemon/store/store.h"

namespace pipelined {

/// Something that collections leave alone.
struct Pin {
  std::string kind;       ///< "artifact" or "run"
  std::string subject;    ///< a digest in full, or a run's number
  std::string who, why;
  TimeMs at = 0;
};

/// All pins, oldest first.
std::vector<Pin> list_pins(Store& store);
/// Commits a pin; the same again takes over who and why.  `not_found`: there is no such thing, or
/// its bytes are gone; `invalid`: an unknown kind.  REQUIRES: no open turn.
Result<void> put_pin(Store& store, const Pin& pin);
/// Commits the end of a pin.  `not_found`: there is none.  REQUIRES: no open turn.
Result<void> remove_pin(Store& store, const std::string& kind, const std::string& subject);

}  // namespace pipelined
