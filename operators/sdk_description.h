// Descriptions of operators as constants of the library.
//
// Part of sdk.h.  Everything here is evaluated by the compiler, so that a plugin's entry is plain
// data which can be read before any of its code runs.  Texts are not copied: give literals.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "operators/pipelined_plugin.h"

namespace pipelined::sdk {

/// A parameter as a constant; made by `text`, `integer`, `number`, `flag`, `list`, `table`, `any`.
struct Param {
  pl_param_t raw{};

  /// The value when the step says nothing: of a string the text itself, else JSON.
  constexpr Param standard(const char* value) const {
    Param next = *this;
    next.raw.default_value = value;
    return next;
  }
  /// The step must say it; excludes `standard`.
  constexpr Param required() const {
    Param next = *this;
    next.raw.flags |= PL_REQUIRED;
    return next;
  }
  /// The smallest number allowed.
  constexpr Param at_least(double value) const {
    Param next = *this;
    next.raw.min = value;
    next.raw.flags |= PL_HAS_MIN;
    return next;
  }
  /// The largest number allowed.
  constexpr Param at_most(double value) const {
    Param next = *this;
    next.raw.max = value;
    next.raw.flags |= PL_HAS_MAX;
    return next;
  }
  /// The words allowed for a string: "auto|csv|tsv".
  constexpr Param choices(const char* words) const {
    Param next = *this;
    next.raw.choices = words;
    return next;
  }
};

/// A parameter of a kind named as in pl_param_t.
constexpr Param param_of_kind(const char* kind, const char* name, const char* doc) {
  Param param;
  param.raw.struct_size = sizeof(pl_param_t);
  param.raw.name = name;
  param.raw.kind = kind;
  param.raw.doc = doc;
  return param;
}
/// A string.
constexpr Param text(const char* name, const char* doc) {
  return param_of_kind("string", name, doc);
}
/// A 64-bit integer.
constexpr Param integer(const char* name, const char* doc) {
  return param_of_kind("int", name, doc);
}
/// A double; integers are taken too.
constexpr Param number(const char* name, const char* doc) {
  return param_of_kind("float", name, doc);
}
/// True or false.
constexpr Param flag(const char* name, const char* doc) {
  return param_of_kind("bool", name, doc);
}
/// A list; a lone string is taken as a list of one.
constexpr Param list(const char* name, const char* doc) {
  return param_of_kind("list", name, doc);
}
/// A table; the operator looks into it by dotted names.
constexpr Param table(const char* name, const char* doc) {
  return param_of_kind("table", name, doc);
}
/// A value of any kind.
constexpr Param any(const char* name, const char* doc) {
  return param_of_kind("any", name, doc);
}

/// Port flags with the names of this namespace.
inline constexpr std::uint32_t optional = PL_OPTIONAL, many = PL_MANY, evidence = PL_EVIDENCE;

/// The description of an operator as a constant; see the top of this file.
struct Description {
  static constexpr std::size_t capacity = 48;  ///< of each kind of entry
  pl_operator_t raw{};
  std::array<pl_port_t, capacity> input_list{}, output_list{};
  std::array<pl_param_t, capacity> param_list{};
  std::array<pl_library_t, capacity> library_list{};

  /// `flags`: sdk::optional | sdk::many.  The name "*" takes any port that the step names.
  constexpr Description input(const char* name, const char* type, const char* doc,
                              std::uint32_t flags = 0) const {
    Description next = *this;
    next.input_list.at(next.raw.input_count++) =
        pl_port_t{sizeof(pl_port_t), flags, name, type, nullptr, doc};
    return next;
  }
  /// `flags`: sdk::optional | sdk::evidence.  The name "*" gives the ports that the step declares.
  constexpr Description output(const char* name, const char* type, const char* doc,
                               std::uint32_t flags = 0) const {
    Description next = *this;
    next.output_list.at(next.raw.output_count++) =
        pl_port_t{sizeof(pl_port_t), flags, name, type, nullptr, doc};
    return next;
  }
  /// An output that is the artifact of input `from` again; the operator does not write it.
  constexpr Description pass(const char* name, const char* type, const char* from,
                             const char* doc) const {
    Description next = *this;
    next.output_list.at(next.raw.output_count++) =
        pl_port_t{sizeof(pl_port_t), 0, name, type, from, doc};
    return next;
  }
  /// A parameter; names are lower case and used once.
  constexpr Description param(const Param& param) const {
    Description next = *this;
    next.param_list.at(next.raw.param_count++) = param.raw;
    return next;
  }
  /// A library whose version decides bytes of the outputs.
  constexpr Description library(const char* name, const char* version) const {
    Description next = *this;
    next.library_list.at(next.raw.library_count++) =
        pl_library_t{sizeof(pl_library_t), 0, name, version, nullptr};
    return next;
  }
  /// The same for a library whose version is only known when it is loaded.
  constexpr Description library(const char* name, const char* (*read_version)()) const {
    Description next = *this;
    next.library_list.at(next.raw.library_count++) =
        pl_library_t{sizeof(pl_library_t), 0, name, nullptr, read_version};
    return next;
  }
  /// More than the summary, for the manual.
  constexpr Description doc(const char* text) const {
    Description next = *this;
    next.raw.doc = text;
    return next;
  }
  /// Replaces the flags, which are PL_DETERMINISTIC | PL_CACHEABLE if nothing is said.
  constexpr Description flags(std::uint32_t flags) const {
    Description next = *this;
    next.raw.flags = flags;
    return next;
  }
  /// What it takes when the step says nothing.
  constexpr Description resources(double cpus, std::int64_t memory_bytes = 0) const {
    Description next = *this;
    next.raw.cpus = cpus;
    next.raw.memory_bytes = memory_bytes;
    return next;
  }
};

/// Begins the description of a deterministic, cacheable operator.
constexpr Description describe(const char* id, std::int64_t behaviour, const char* summary) {
  Description description;
  description.raw.struct_size = sizeof(pl_operator_t);
  description.raw.flags = PL_DETERMINISTIC | PL_CACHEABLE;
  description.raw.id = id;
  description.raw.behaviour = behaviour;
  description.raw.summary = summary;
  return description;
}

}  // namespace pipelined::sdk
