#include "plugins/common/arrow_result.h"

namespace pipelined {

Error arrow_error(const std::string& what, const arrow::Status& status) {
  ErrorCode code = ErrorCode::internal;
  if (status.IsIOError()) code = ErrorCode::io;
  if (status.IsOutOfMemory() || status.IsCapacityError()) code = ErrorCode::exhausted;
  if (status.IsInvalid() || status.IsTypeError() || status.IsSerializationError()) {
    code = ErrorCode::invalid;
  }
  if (status.IsNotImplemented()) code = ErrorCode::unsupported;
  return {code, what + ": " + status.message()};
}

}  // namespace pipelined
