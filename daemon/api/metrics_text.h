// Figures of the daemon as Prometheus text.
//
// Names are `pipelined_` and a unit or `_total`; there is no label whose number of values grows with
// use.  Pure.
#pragma once

#include <string>

#include "daemon/api/backend.h"

namespace pipelined::api {

/// The exposition text, version 0.0.4.
std::string metrics_text(const DaemonFigures& figures);

}  // namespace pipelined::api
