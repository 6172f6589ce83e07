// The plugin from which `pipectl operators new` makes another one.
//
// The text of the example plugin of this tree (plugins/example), which is built and tested there;
// the build puts it in.
#pragma once

namespace pipelined::cli {

extern const char* const plugin_template;

}  // namespace pipelined::cli
