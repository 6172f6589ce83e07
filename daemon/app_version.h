// The version of the product, as CMakeLists.txt states it.
//
// Nothing else stands here: a new version compiles one small file and its few includers anew.
#pragma once

namespace pipelined {

/// "0.1.0".
extern const char* const product_version;

}  // namespace pipelined
