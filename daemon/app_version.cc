#include "daemon/app_version.h"

namespace pipelined {

const char* const product_version = PIPELINED_VERSION;

}  // namespace pipelined
