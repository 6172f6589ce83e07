#include "operators/value_json.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

namespace pipelined {
namespace {

using Json = nlohmann::json;

// Builds a Value while the parser walks, so that depth and doubled keys are seen at once and no
// second tree is made.
class Builder : public nlohmann::json_sax<Json> {
 public:
  Result<Value> take() && {
    if (error_) return *std::move(error_);
    return std::move(root_);
  }

  bool null() override { return place(Value()); }
  bool boolean(bool value) override { return place(Value(value)); }
  bool number_integer(number_integer_t value) override { return place(Value(value)); }
  bool number_unsigned(number_unsigned_t value) override {
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      return place(Value(static_cast<double>(value)));
    }
    return place(Value(static_cast<std::int64_t>(value)));
  }
  bool number_float(number_float_t value, const string_t&) override { return place(Value(value)); }
  bool string(string_t& text) override { return place(Value(std::move(text))); }
  bool binary(binary_t&) override { return fail("bytes are not possible in JSON"); }
  bool start_object(std::size_t) override { return open(Value(ValueTable{})); }
  bool start_array(std::size_t) override { return open(Value(ValueList{})); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    if (open_.back()->as_table()->contains(name)) {
      return fail("the key \"" + name + "\" is there twice");
    }
    key_ = std::move(name);
    return true;
  }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    return fail("it is no JSON at byte " + std::to_string(position));
  }

 private:
  bool fail(const std::string& what) {
    if (!error_) error_ = Error{ErrorCode::invalid, "cannot read JSON: " + what};
    return false;
  }
  Value* put(Value value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    if (ValueTable* table = open_.back()->as_table()) {
      return &((*table)[std::move(key_)] = std::move(value));
    }
    ValueList& list = std::get<ValueList>(open_.back()->data);
    list.push_back(std::move(value));
    return &list.back();
  }
  bool place(Value value) {
    put(std::move(value));
    return true;
  }
  bool open(Value value) {
    if (open_.size() >= json_depth_max) {
      return fail("it is nested deeper than " + std::to_string(json_depth_max));
    }
    open_.push_back(put(std::move(value)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  Value root_;
  // Pointers stay good: a list grows only while its last item is not open.
  std::vector<Value*> open_;
  std::string key_;
  std::optional<Error> error_;
};

// The length of the UTF-8 character at `at`; 0 if there is none.
std::size_t character_size(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const unsigned first = byte(at);
  if (first < 0x80) return 1;
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xC0) == 0x80; };
  if (first >= 0xC2 && first <= 0xDF) return follows(at + 1) ? 2 : 0;
  const unsigned second = byte(at + 1);
  if (first >= 0xE0 && first <= 0xEF) {
    const bool overlong = first == 0xE0 && second < 0xA0;
    const bool surrogate = first == 0xED && second > 0x9F;
    return follows(at + 1) && follows(at + 2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool out_of_range =
        (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F);
    return follows(at + 1) && follows(at + 2) && follows(at + 3) && !out_of_range ? 4 : 0;
  }
  return 0;
}

// Values come from readers that bound the depth, so recursion is safe here.
void append(std::string& out, const Value& value) {
  if (const ValueList* list = value.as_list()) {
    out += '[';
    const char* separator = "";
    for (const Value& item : *list) {
      out += std::exchange(separator, ",");
      append(out, item);
    }
    out += ']';
  } else if (const ValueTable* table = value.as_table()) {
    out += '{';
    const char* separator = "";
    for (const auto& [key, item] : *table) {
      out += std::exchange(separator, ",");
      out += pipelined::quoted(valid_utf8(key)) + ":";
      append(out, item);
    }
    out += '}';
  } else if (const std::string* text = value.as_text()) {
    out += pipelined::quoted(valid_utf8(*text));
  } else if (const double* number = value.as_double(); number && !std::isfinite(*number)) {
    out += pipelined::quoted(canonical(value));
  } else {
    out += canonical(value);
  }
}

}  // namespace

Result<Value> value_from_json(std::string_view text) {
  Builder builder;
  Json::sax_parse(text, &builder);
  return std::move(builder).take();
}

std::string json_text(const Value& value) {
  std::string out;
  append(out, value);
  return out;
}

std::string valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = character_size(text, at);
    if (size == 0) {
      out += "\xEF\xBF\xBD";
      ++at;
      continue;
    }
    out += text.substr(at, size);
    at += size;
  }
  return out;
}

}  // namespace pipelined
