// What an operator declares about itself, as plain data.
//
// Filled by the descriptor reader (operators/descriptor) or built in for programs; read by
// `check`, by the key and by the engine.  Knows nothing of shared libraries or where code lives.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dag/value.h"

namespace pipelined {

/// A typed, named input or output.
struct PortInfo {
  /// "examples"; "*" on an operator whose ports the step names itself; an output "{shares}" or
  /// "{shares}_statistics" stands for one port a key of the table parameter `shares`.
  std::string name;
  std::string type;      ///< "examples/1"; "*" takes any type; "a/1|b/1" takes either
  bool many = false;     ///< inputs: any number of artifacts, in span order
  bool optional = false;
  bool evidence = false; ///< outputs: readable downstream even while the step is halted
  std::string pass;      ///< outputs: the input port whose artifact this output is again
  std::string doc;
};

/// A parameter with its kind, default and limits.
struct ParamInfo {
  std::string name;
  std::string kind;      ///< bool int float string list table any
  Value default_value;   ///< null: no default
  bool required = false;
  std::vector<std::string> choices;  ///< of a string; empty: any text
  std::optional<double> min, max;    ///< of a number
  std::string doc;
};

/// A library whose version decides output bytes.
struct LibraryInfo {
  std::string name, version;
};

/// The built-in operators; both start a program of the user's.
inline constexpr const char* command_operator = "command.run";
inline constexpr const char* python_operator = "python.call";

inline bool runs_program(const std::string& id) {
  return id == command_operator || id == python_operator;
}

/// One operator of one plugin.
struct OperatorInfo {
  std::string id;             ///< "data.validate"
  std::int64_t behaviour = 1; ///< raised when the same inputs would give other outputs
  std::string summary, doc;
  std::vector<PortInfo> inputs, outputs;
  std::vector<ParamInfo> params;
  std::vector<LibraryInfo> libraries;
  std::string build;          ///< digest of the plugin file in a development build, else empty
  std::string plugin;         ///< name of the plugin that holds it ("data"); empty for built-ins
  bool deterministic = true, cacheable = true;
  bool effect = false;        ///< changes the world outside: never cached
  bool network = false, entropy = false, resumable = false, distributed = false;
  bool generates = false;     ///< may name elements to be run, and is called again with the results
  bool open_inputs = false;   ///< the step may name any input port (`data.sql`, `command.run`)
  bool open_outputs = false;  ///< the step declares its outputs (`command.run`, `data.split`)
  double cpus = 1;            ///< hints when the step says nothing
  std::int64_t memory_bytes = 0;

  /// The declared port of that name, the `*` port of an open operator, or nothing.
  const PortInfo* input(std::string_view name) const { return find(inputs, name); }
  const PortInfo* output(std::string_view name) const { return find(outputs, name); }
  const ParamInfo* param(std::string_view name) const {
    for (const ParamInfo& info : params) {
      if (info.name == name) return &info;
    }
    return nullptr;
  }

 private:
  static const PortInfo* find(const std::vector<PortInfo>& ports, std::string_view name) {
    const PortInfo* open = nullptr;
    for (const PortInfo& port : ports) {
      if (port.name == name) return &port;
      if (port.name == "*") open = &port;
    }
    return open;
  }
};

}  // namespace pipelined
