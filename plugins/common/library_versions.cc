#include "plugins/common/library_versions.h"

#include <arrow/config.h>

namespace pipelined {

const char* arrow_version() { return arrow::GetBuildInfo().version_string.c_str(); }

}  // namespace pipelined
