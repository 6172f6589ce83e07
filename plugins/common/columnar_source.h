// One table out of Parquet files or out of Arrow files and streams.
//
// Batches are cast to the types of examples/1 and to what is declared; a value that does not fit is
// named with its file, row and column.  Used by table_source.cc.  One thread.
#pragma once

#include "plugins/common/table_source.h"

namespace pipelined {

/// Opens the files far enough to know their schemas; packed ones are unpacked into options.scratch.
Result<std::unique_ptr<TableSource>> open_columnar(std::vector<std::string> files, bool parquet,
                                                   const TableOptions& options);

}  // namespace pipelined
