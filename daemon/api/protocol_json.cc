// Three visitors over the lists of fields: one writes JSON, one reads it, one prints the schema.
#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "daemon/api/protocol_fields.h"

namespace pipelined::protocol {
namespace {

using Json = nlohmann::ordered_json;

template <class T>
concept Record = requires(T& value, int& visit) { fields(visit, value); };

struct Mistake {
  std::string sentence;
};

Json write(const Value& value);

struct Writer {
  Json out = Json::object();

  template <class T>
  void operator()(const char* name, T& member) {
    out[name] = put(member);
  }
  static Json put(const std::string& text) { return text; }
  static Json put(bool value) { return value; }
  static Json put(std::int64_t value) { return value; }
  static Json put(double value) { return std::isfinite(value) ? Json(value) : Json(); }
  static Json put(const Time& time) { return time.ms == 0 ? Json() : Json(iso_time(time.ms)); }
  static Json put(const Value& value) { return write(value); }
  template <class T>
  static Json put(const std::optional<T>& value) {
    return value ? put(*value) : Json();
  }
  template <class T>
  static Json put(const std::vector<T>& list) {
    Json array = Json::array();
    for (const T& item : list) array.push_back(put(item));
    return array;
  }
  template <class T, class C>
  static Json put(const std::map<std::string, T, C>& table) {
    Json object = Json::object();
    for (const auto& [name, item] : table) object[name] = put(item);
    return object;
  }
  template <Record T>
  static Json put(const T& record) {
    Writer inner;
    fields(inner, const_cast<T&>(record));  // one list of fields serves reading and writing
    return std::move(inner.out);
  }
};

Json write(const Value& value) {
  if (const bool* flag = value.as_bool()) return *flag;
  if (const std::int64_t* number = value.as_int()) return *number;
  if (const double* number = value.as_double()) return Writer::put(*number);
  if (const std::string* text = value.as_text()) return *text;
  if (const ValueList* list = value.as_list()) return Writer::put(*list);
  if (const ValueTable* table = value.as_table()) return Writer::put(*table);
  return nullptr;
}

Value read_value(const Json& json, int depth) {
  if (depth > 64) throw Mistake{"it is nested more than 64 deep"};
  switch (json.type()) {
    case Json::value_t::boolean: return json.get<bool>();
    case Json::value_t::number_integer: return json.get<std::int64_t>();
    case Json::value_t::number_unsigned:
      if (json.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max()) {
        throw Mistake{"a number is too large"};
      }
      return json.get<std::int64_t>();
    case Json::value_t::number_float: return json.get<double>();
    case Json::value_t::string: return json.get<std::string>();
    case Json::value_t::array: {
      ValueList list;
      for (const Json& item : json) list.push_back(read_value(item, depth + 1));
      return list;
    }
    case Json::value_t::object: {
      ValueTable table;
      for (const auto& [name, item] : json.items()) table[name] = read_value(item, depth + 1);
      return table;
    }
    default: return {};
  }
}

struct Reader {
  const Json& in;
  std::string path;
  bool strict;
  std::vector<std::string> known = {};

  template <class T>
  void operator()(const char* name, T& member) {
    known.emplace_back(name);
    const auto found = in.find(name);
    if (found == in.end()) return;
    get(*found, member, path.empty() ? name : path + "." + name);
  }

  [[noreturn]] static void expected(const char* what, const Json& json, const std::string& where) {
    throw Mistake{"field " + where + ": expected " + what + ", found " + json.type_name()};
  }
  void get(const Json& json, std::string& text, const std::string& where) const {
    if (!json.is_string()) expected("text", json, where);
    text = json.get<std::string>();
  }
  void get(const Json& json, bool& value, const std::string& where) const {
    if (!json.is_boolean()) expected("true or false", json, where);
    value = json.get<bool>();
  }
  void get(const Json& json, std::int64_t& value, const std::string& where) const {
    if (!json.is_number_integer()) expected("a whole number", json, where);
    value = json.get<std::int64_t>();
  }
  void get(const Json& json, double& value, const std::string& where) const {
    if (json.is_null()) {
      value = std::numeric_limits<double>::quiet_NaN();
    } else if (json.is_number()) {
      value = json.get<double>();
    } else {
      expected("a number", json, where);
    }
  }
  void get(const Json& json, Time& time, const std::string& where) const {
    if (json.is_null()) {
      time = {};
      return;
    }
    if (!json.is_string()) expected("a time", json, where);
    const std::optional<TimeMs> ms = parse_iso_time(json.get<std::string>());
    if (!ms) expected("a time like 2026-01-31T08:15:00.000Z", json, where);
    time.ms = *ms;
  }
  void get(const Json& json, Value& value, const std::string&) const {
    value = read_value(json, 0);
  }
  template <class T>
  void get(const Json& json, std::optional<T>& value, const std::string& where) const {
    if (json.is_null()) {
      value.reset();
    } else {
      get(json, value.emplace(), where);
    }
  }
  template <class T>
  void get(const Json& json, std::vector<T>& list, const std::string& where) const {
    if (!json.is_array()) expected("a list", json, where);
    for (const Json& item : json) {
      const std::string at = where + "[" + std::to_string(list.size()) + "]";
      get(item, list.emplace_back(), at);
    }
  }
  template <class T, class C>
  void get(const Json& json, std::map<std::string, T, C>& table, const std::string& where) const {
    if (!json.is_object()) expected("a table", json, where);
    for (const auto& [name, item] : json.items()) get(item, table[name], where + "." + name);
  }
  template <Record T>
  void get(const Json& json, T& record, const std::string& where) const {
    if (!json.is_object()) expected("a table", json, where.empty() ? "(the whole)" : where);
    Reader inner{json, where, strict};
    fields(inner, record);
    if (!strict) return;
    for (const auto& [name, item] : json.items()) {
      if (std::find(inner.known.begin(), inner.known.end(), name) == inner.known.end()) {
        throw Mistake{"field " + (where.empty() ? name : where + "." + name) + " is unknown here"};
      }
    }
  }
};

struct Schema {
  Json properties = Json::object();

  template <class T>
  void operator()(const char* name, T& member) {
    properties[name] = of(member);
  }
  static Json of(const std::string&) { return {{"type", "string"}}; }
  static Json of(bool) { return {{"type", "boolean"}}; }
  static Json of(std::int64_t) { return {{"type", "integer"}, {"format", "int64"}}; }
  static Json of(double) { return {{"type", "number"}, {"nullable", true}}; }
  static Json of(const Time&) {
    return {{"type", "string"}, {"format", "date-time"}, {"nullable", true}};
  }
  static Json of(const Value&) { return Json::object(); }
  template <class T>
  static Json of(const std::optional<T>&) {
    Json schema = of(T{});
    schema["nullable"] = true;
    return schema;
  }
  template <class T>
  static Json of(const std::vector<T>&) {
    return {{"type", "array"}, {"items", of(T{})}};
  }
  template <class T, class C>
  static Json of(const std::map<std::string, T, C>&) {
    return {{"type", "object"}, {"additionalProperties", of(T{})}};
  }
  template <Record T>
  static Json of(const T&) {
    Schema inner;
    T empty{};
    fields(inner, empty);
    return {{"type", "object"}, {"properties", std::move(inner.properties)}};
  }
};

template <class T>
Result<T> read(std::string_view text, bool strict) {
  try {
    int depth = 0;
    const Json json = Json::parse(text, [&depth](int level, Json::parse_event_t, Json&) {
      depth = std::max(depth, level);
      if (depth > 64) throw Mistake{"it is nested more than 64 deep"};
      return true;
    });
    T value{};
    Reader{json, "", strict}.get(json, value, "");
    return value;
  } catch (const Mistake& mistake) {
    return Error{ErrorCode::invalid, mistake.sentence};
  } catch (const Json::exception& failure) {
    return Error{ErrorCode::invalid, std::string("no valid JSON: ") + failure.what()};
  }
}

}  // namespace

template <class T>
std::string to_json(const T& value) {
  // Text that came from outside may be no UTF-8; it must not keep the rest from being answered.
  return Writer::put(value).dump(-1, ' ', false, Json::error_handler_t::replace);
}
template <class T>
Result<T> from_json(std::string_view text) {
  return read<T>(text, false);
}
template <class T>
Result<T> from_json_strictly(std::string_view text) {
  return read<T>(text, true);
}
template <class T>
std::string json_schema() {
  return Schema::of(T{}).dump();
}

// The four functions of each struct that travels by itself are made in this file alone.
#define PL_CODEC(T)                                             \
  template std::string to_json<T>(const T&);                    \
  template Result<T> from_json<T>(std::string_view);            \
  template Result<T> from_json_strictly<T>(std::string_view);   \
  template std::string json_schema<T>();

PL_CODEC(FailureReply)
PL_CODEC(Done)
PL_CODEC(Upload)
PL_CODEC(CheckReply)
PL_CODEC(ApplyReply)
PL_CODEC(RunRequest)
PL_CODEC(PlanReply)
PL_CODEC(FreshnessReply)
PL_CODEC(Decision)
PL_CODEC(PauseWish)
PL_CODEC(HoldWish)
PL_CODEC(Hold)
PL_CODEC(HoldList)
PL_CODEC(RunList)
PL_CODEC(RunDetail)
PL_CODEC(Explanation)
PL_CODEC(RunDiff)
PL_CODEC(RunHistory)
PL_CODEC(RunEvents)
PL_CODEC(PipelineList)
PL_CODEC(PipelineInfo)
PL_CODEC(Status)
PL_CODEC(SpanList)
PL_CODEC(ArtifactList)
PL_CODEC(ArtifactDetail)
PL_CODEC(Lineage)
PL_CODEC(ArtifactDiff)
PL_CODEC(QueryRequest)
PL_CODEC(TableReply)
PL_CODEC(TryRequest)
PL_CODEC(TryReply)
PL_CODEC(Step)
PL_CODEC(AlertList)
PL_CODEC(SourceList)
PL_CODEC(UseList)
PL_CODEC(OperatorList)
PL_CODEC(ReviewList)
PL_CODEC(BackfillRequest)
PL_CODEC(BackfillPlan)
PL_CODEC(BackfillList)
PL_CODEC(InvalidateRequest)
PL_CODEC(DependentList)
PL_CODEC(PipelineVersionList)
PL_CODEC(PipelineDefinition)
PL_CODEC(PipelineDiff)
PL_CODEC(ModelList)
PL_CODEC(ModelDetail)
PL_CODEC(ModelVersionInfo)
PL_CODEC(ModelHistory)
PL_CODEC(ModelDiff)
PL_CODEC(ModelAliasRequest)
PL_CODEC(ModelMarkRequest)
PL_CODEC(DoctorReply)
PL_CODEC(JobRequest)
PL_CODEC(JobInfo)
PL_CODEC(PinRequest)
PL_CODEC(PinList)
PL_CODEC(Change)
PL_CODEC(Token)
PL_CODEC(TokenList)
PL_CODEC(TokenRequest)
PL_CODEC(AuditLog)
PL_CODEC(AuditVerdict)
PL_CODEC(ReloadReply)
PL_CODEC(RunSummary)

}  // namespace pipelined::protocol
