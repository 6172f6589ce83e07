// What the trainings share at their ports: examples in, files out.
//
// Knows the names of ports and nothing of what is learned.  Functions without state.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "model/transform.h"
#include "operators/sdk.h"
#include "plugins/common/examples.h"

namespace pipelined::train {

/// The examples at a port, in the order of its artifacts; an error if there are none.
Result<ExamplesReader> open_examples(const sdk::Context& context, const std::string& port);

/// The transform at port "transform", or null; an error if it reads the label, or if columns were
/// chosen as well.
Result<std::shared_ptr<const model::Transform>> given_transform(const sdk::Context& context,
                                                                const std::string& label,
                                                                bool chose_columns);

/// Writes a whole file.
Result<void> write_file(const std::filesystem::path& path, const std::string& bytes);

/// What a training that shall stop early says without validation rows.
Error no_validation_rows();

}  // namespace pipelined::train
