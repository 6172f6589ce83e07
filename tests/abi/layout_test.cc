// The layout of every struct of the plugin interface, against what was published.
//
// A published offset never changes; a struct grows only at its end.  After appending a field: add
// its line here and its offset to layout.golden.
#include <catch2/catch.hpp>
#include <cstddef>
#include <fstream>
#include <map>
#include <string>

#include "operators/pipelined_plugin.h"

namespace {

using Layout = std::map<std::string, std::size_t>;

#define FIELD(type, field) layout[#type "." #field] = offsetof(type, field)

void add_error(Layout& layout) {
  layout["pl_error_t"] = sizeof(pl_error_t);
  FIELD(pl_error_t, struct_size);
  FIELD(pl_error_t, reserved);
  FIELD(pl_error_t, subject);
  FIELD(pl_error_t, message);
}

void add_port(Layout& layout) {
  layout["pl_port_t"] = sizeof(pl_port_t);
  FIELD(pl_port_t, struct_size);
  FIELD(pl_port_t, flags);
  FIELD(pl_port_t, name);
  FIELD(pl_port_t, type);
  FIELD(pl_port_t, pass);
  FIELD(pl_port_t, doc);
}

void add_param(Layout& layout) {
  layout["pl_param_t"] = sizeof(pl_param_t);
  FIELD(pl_param_t, struct_size);
  FIELD(pl_param_t, flags);
  FIELD(pl_param_t, name);
  FIELD(pl_param_t, kind);
  FIELD(pl_param_t, default_value);
  FIELD(pl_param_t, choices);
  FIELD(pl_param_t, min);
  FIELD(pl_param_t, max);
  FIELD(pl_param_t, doc);
}

void add_library(Layout& layout) {
  layout["pl_library_t"] = sizeof(pl_library_t);
  FIELD(pl_library_t, struct_size);
  FIELD(pl_library_t, reserved);
  FIELD(pl_library_t, name);
  FIELD(pl_library_t, version);
  FIELD(pl_library_t, read_version);
}

void add_context(Layout& layout) {
  layout["pl_context_t"] = sizeof(pl_context_t);
  FIELD(pl_context_t, struct_size);
  FIELD(pl_context_t, reserved);
  FIELD(pl_context_t, host_data);
  FIELD(pl_context_t, params_json);
  FIELD(pl_context_t, param_json);
  FIELD(pl_context_t, param_text);
  FIELD(pl_context_t, param_integer);
  FIELD(pl_context_t, param_number);
  FIELD(pl_context_t, param_flag);
  FIELD(pl_context_t, param_size);
  FIELD(pl_context_t, param_item);
  FIELD(pl_context_t, param_key);
  FIELD(pl_context_t, input_port);
  FIELD(pl_context_t, input_count);
  FIELD(pl_context_t, input_path);
  FIELD(pl_context_t, input_type);
  FIELD(pl_context_t, input_digest);
  FIELD(pl_context_t, output_port);
  FIELD(pl_context_t, output_path);
  FIELD(pl_context_t, output_type);
  FIELD(pl_context_t, scratch_path);
  FIELD(pl_context_t, seed);
  FIELD(pl_context_t, cancelled);
  FIELD(pl_context_t, deadline_ms);
  FIELD(pl_context_t, cpus);
  FIELD(pl_context_t, memory_bytes);
  FIELD(pl_context_t, log);
  FIELD(pl_context_t, metric);
  FIELD(pl_context_t, note);
  FIELD(pl_context_t, progress);
  FIELD(pl_context_t, get_extension);
}

void add_operator(Layout& layout) {
  layout["pl_operator_t"] = sizeof(pl_operator_t);
  FIELD(pl_operator_t, struct_size);
  FIELD(pl_operator_t, flags);
  FIELD(pl_operator_t, id);
  FIELD(pl_operator_t, behaviour);
  FIELD(pl_operator_t, summary);
  FIELD(pl_operator_t, doc);
  FIELD(pl_operator_t, input_count);
  FIELD(pl_operator_t, output_count);
  FIELD(pl_operator_t, param_count);
  FIELD(pl_operator_t, library_count);
  FIELD(pl_operator_t, inputs);
  FIELD(pl_operator_t, outputs);
  FIELD(pl_operator_t, params);
  FIELD(pl_operator_t, libraries);
  FIELD(pl_operator_t, cpus);
  FIELD(pl_operator_t, memory_bytes);
  FIELD(pl_operator_t, run);
}

void add_plugin(Layout& layout) {
  layout["pl_plugin_t"] = sizeof(pl_plugin_t);
  FIELD(pl_plugin_t, abi_major);
  FIELD(pl_plugin_t, abi_minor);
  FIELD(pl_plugin_t, struct_size);
  FIELD(pl_plugin_t, operator_count);
  FIELD(pl_plugin_t, plugin_id);
  FIELD(pl_plugin_t, plugin_version);
  FIELD(pl_plugin_t, operators);
  FIELD(pl_plugin_t, get_extension);
  FIELD(pl_plugin_t, init);
  FIELD(pl_plugin_t, deinit);
}

Layout layout_now() {
  Layout layout;
  add_error(layout);
  add_port(layout);
  add_param(layout);
  add_library(layout);
  add_context(layout);
  add_operator(layout);
  add_plugin(layout);
  return layout;
}

Layout layout_published() {
  std::ifstream file(SOURCES "/tests/abi/layout.golden");
  REQUIRE(file);
  Layout layout;
  std::string name;
  for (std::size_t value = 0; file >> name >> value;) layout[name] = value;
  return layout;
}

}  // namespace

TEST_CASE("layout: published offsets stay, structs only grow", "[abi][layout]") {
  const Layout published = layout_published();
  const Layout now = layout_now();
  CHECK(published.size() > 80);
  for (const auto& [name, value] : published) {
    INFO(name);
    REQUIRE(now.count(name) == 1);
    if (name.find('.') == std::string::npos) {
      CHECK(now.at(name) >= value);
    } else {
      CHECK(now.at(name) == value);
    }
  }
}

TEST_CASE("layout: what is new was published with it, behind everything older", "[abi][layout]") {
  const Layout published = layout_published();
  for (const auto& [name, value] : layout_now()) {
    INFO(name << " " << value << " belongs into layout.golden");
    CHECK(published.count(name) == 1);
  }
}

TEST_CASE("layout: the first three fields of the entry stand for ever", "[abi][layout]") {
  CHECK(offsetof(pl_plugin_t, abi_major) == 0);
  CHECK(offsetof(pl_plugin_t, abi_minor) == 4);
  CHECK(offsetof(pl_plugin_t, struct_size) == 8);
}
