// One table out of a set of texts: a row a file, labelled by the folder in which the file lies.
//
// Columns: `label` (the name of that folder; null for files that lie in none), `file` (the path within
// the delivery) and `text` (the whole content).  Used by table_source.cc.  One thread.
#pragma once

#include "plugins/common/table_source.h"

namespace pipelined {

/// The longest text that is read.
inline constexpr std::size_t text_bytes_max = 16u << 20;

/// Opens the files below options.root, packed ones unpacked, in options.text.encoding.
Result<std::unique_ptr<TableSource>> open_texts(std::vector<std::string> files,
                                                const TableOptions& options);

}  // namespace pipelined
