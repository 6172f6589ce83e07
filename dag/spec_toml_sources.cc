// Reads [source.NAME]: what is delivered into a folder, asked of a database, or added by steps.
#include "dag/spec_reader.h"

namespace pipelined::spec_reader {

using Node = const toml::node&;

void Reader::source(const std::string& name, SourcePosition at, const toml::node& node) {
  const std::string where = "in source '" + name + "'";
  const toml::table* table = table_of(node, "source '" + name + "'");
  if (table == nullptr) return;
  SourceSpec out;
  out.name = name;
  out.at = at;
  std::vector<Field> known = {
      {"kind",
       [&](Node n) {
         text(n, "'kind' " + where, out.kind);
         for (const char* later : {"http", "s3"}) {
           if (out.kind != later) continue;
           error(n, "a source of kind '" + out.kind + "' is not supported yet");
           return;
         }
         word(n, "'kind' " + where, {"files", "query", "feedback"}, out.kind);
       }},
      {"path", [&](Node n) { text(n, "'path' " + where, out.path); }},
      {"settle", [&](Node n) { duration(n, "'settle' " + where, out.settle_ms); }},
      {"complete", [&](Node n) { text(n, "'complete' " + where, out.marker); }},
      {"manifest",
       [&](Node n) {
         text(n, "'manifest' " + where, out.marker);
         out.manifest = true;
       }},
      {"review",
       [&](Node n) {
         review(n, where, out.review);
         if (out.review.automatic) wrong_kind(n, "'review' " + where, "true, false or a table");
       }},
      {"snapshot",
       [&](Node n) {
         word(n, "'snapshot' " + where, {"copy", "reference"}, out.snapshot);
         if (out.snapshot == "reference") error(n, "snapshot = \"reference\" is not supported yet");
       }},
      {"expect", [&](Node n) { expectation(n, where, out.expect); }}};
  for (Field& field : query_fields(where, *table, out.query)) known.push_back(std::move(field));
  fields(*table, where, known);
  check_source_keys(*table, where, out);
  spec_.sources.push_back(std::move(out));
}

std::vector<Field> Reader::query_fields(const std::string& where, const toml::table& table,
                                        QuerySpec& out) {
  return {{"database",
           [this, where, &table, &out](Node n) {
             word(n, "'database' " + where, {"sqlite", "postgresql"}, out.database);
             // A transaction there may commit long after others that began later.
             const bool stated = table.contains("lag");
             if (out.database == "postgresql" && !stated) out.lag_ms = 30'000;
           }},
          {"secret", [this, where, &out](Node n) { text(n, "'secret' " + where, out.secret); }},
          {"query",
           [this, where, &out](Node n) {
             if (n.is_string() || n.is_table()) {
               out.params["query"] = value(n, "'query' " + where);
             } else {
               wrong_kind(n, "'query' " + where, "a string or { file = \"NAME\" }");
             }
           }},
          {"types", [this, where, &out](Node n) { out.params["types"] = values(n, "'types' " + where); }},
          {"watermark",
           [this, where, &out](Node n) { text(n, "'watermark' " + where, out.watermark); }},
          {"every", [this, where, &out](Node n) { duration(n, "'every' " + where, out.every_ms); }},
          {"lag", [this, where, &out](Node n) { duration(n, "'lag' " + where, out.lag_ms); }},
          {"timeout",
           [this, where, &out](Node n) { duration(n, "'timeout' " + where, out.timeout_ms); }}};
}

void Reader::check_source_keys(const toml::table& table, const std::string& where,
                               const SourceSpec& source) {
  const std::string start = "source '" + source.name + "' ";
  if (table.contains("complete") && table.contains("manifest")) {
    error(source.at, start + "has both 'complete' and 'manifest'; a manifest says that its span is "
                             "complete");
  }
  const std::vector<const char*> of_queries = {"database", "secret", "query", "types",
                                               "watermark", "every", "lag", "timeout"};
  const std::vector<const char*> of_files = {"settle", "snapshot", "complete", "manifest"};
  for (const char* key : source.kind == "query" ? of_files : of_queries) {
    if (!table.contains(key)) continue;
    error(*table.get(key), "'" + std::string(key) + "' " + where +
                               " is not for a source of kind " + source.kind);
  }
  if (!table.contains("path") && source.kind == "files") error(source.at, start + "has no path");
}

}  // namespace pipelined::spec_reader
