#include "plugins/ingest/known_types.h"

#include <arrow/type.h>
#include <toml++/toml.h>

#include "plugins/common/examples.h"

namespace pipelined {
namespace {

using Types = std::map<std::string, ColumnType>;

Result<Types> types_of_examples(const std::string& folder) {
  auto reader = ExamplesReader::open({folder});
  if (!reader) return reader.error().within("input 'schema'");
  Types types;
  for (const auto& field : reader->schema()->fields()) {
    if (const auto type = column_type_of(*field->type())) types[field->name()] = *type;
  }
  return types;
}

Result<Types> types_of_schema(const std::filesystem::path& file) {
  Types types;
  try {
    const toml::table root = toml::parse_file(file.string());
    const toml::table* features = root["feature"].as_table();
    if (features == nullptr) return types;
    for (const auto& [column, entry] : *features) {
      const toml::table* feature = entry.as_table();
      if (feature == nullptr) continue;
      const std::string name = (*feature)["type"].value_or(std::string());
      if (const auto type = column_type_named(name)) types[std::string(column.str())] = *type;
    }
  } catch (const toml::parse_error& error) {
    return Error{ErrorCode::invalid, "input 'schema': " + file.filename().string() + " line " +
                                         std::to_string(error.source().begin.line) + ": " +
                                         std::string(error.description())};
  }
  return types;
}

}  // namespace

Result<Types> known_types(const sdk::Context& context) {
  Types types;
  for (std::int64_t i = 0; i < context.input_count("schema"); ++i) {
    if (context.input_type("schema", i) == "examples/1") {
      TRY(found, types_of_examples(context.input_path("schema", i).string()));
      types.merge(found);
      continue;
    }
    for (const auto& file : context.input_files("schema", i)) {
      if (file.extension() != ".toml") continue;
      TRY(found, types_of_schema(file));
      types.merge(found);
    }
  }
  return types;
}

}  // namespace pipelined
