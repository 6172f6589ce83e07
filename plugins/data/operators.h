// The operators of the plugin "data" as functions; plugin.cc describes them.
//
// Each reads the ports and parameters of its attempt and writes its outputs; none knows spans, runs
// or the daemon.
#pragma once

#include "operators/sdk.h"

namespace pipelined {

/// data.sql: one query over the named inputs.
Result<void> run_data_sql(sdk::Context& context);

/// data.table: the first rows of one query over `data`, as JSON for people.
Result<void> run_data_table(sdk::Context& context);

/// data.statistics: a table's statistics/1.
Result<void> run_data_statistics(sdk::Context& context);

/// data.merge_statistics: statistics of parts into those of the whole.
Result<void> run_data_merge_statistics(sdk::Context& context);

/// data.export_statistics: statistics/1 as the file that TFDV and Facets read.
Result<void> run_data_export_statistics(sdk::Context& context);

/// data.import_statistics: such a file as statistics/1.
Result<void> run_data_import_statistics(sdk::Context& context);

/// data.report: statistics of one or two tables as a page.
Result<void> run_data_report(sdk::Context& context);

/// data.validate: statistics against a schema and against other statistics; halts on errors.
Result<void> run_data_validate(sdk::Context& context);

/// data.schema: a schema proposed, or changes of one that new data asks for.
Result<void> run_data_schema(sdk::Context& context);

/// data.split: rows into shares by the hash of a key.
Result<void> run_data_split(sdk::Context& context);

/// The folders of all artifacts at a port, in order.
std::vector<std::string> input_folders(const sdk::Context& context, const std::string& port);

/// Writes a small text file whole.
Result<void> write_text(const std::string& path, const std::string& text);

/// Reads a small text file whole.
Result<std::string> read_text(const std::string& path);

}  // namespace pipelined
