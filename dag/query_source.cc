#include "dag/query_source.h"

#include <algorithm>

#include "dag/param_check.h"

namespace pipelined {
namespace {

constexpr std::size_t word_max = 30;  // of a text watermark in a span's name

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

std::string text_of(const Value& notes, std::string_view name) {
  const ValueTable* table = notes.as_table();
  if (table == nullptr) return "";
  const auto found = table->find(name);
  if (found == table->end()) return "";
  const std::string* text = found->second.as_text();
  return text != nullptr ? *text : canonical(found->second);
}

/// "2024-01-05" as 20240105; empty: no date.
std::string date_word(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return "";
  const std::string digits = std::string(text.substr(0, 4)) + std::string(text.substr(5, 2)) +
                             std::string(text.substr(8, 2));
  return all_digits(digits) ? digits : "";
}

/// "2024-01-05 08:30:00.250+00" as 20240105T083000.25; empty: no time.
std::string time_word(std::string_view text) {
  const std::string date = date_word(text.substr(0, 10));
  if (date.empty() || text.size() < 16 || (text[10] != ' ' && text[10] != 'T')) return "";
  std::string_view clock = text.substr(11);
  for (const std::string_view zone : {"Z", "+00:00", "+00"}) {
    if (!clock.ends_with(zone)) continue;
    clock.remove_suffix(zone.size());
    break;
  }
  std::string_view fraction;
  if (const std::size_t dot = clock.find('.'); dot != std::string_view::npos) {
    fraction = clock.substr(dot + 1);
    clock = clock.substr(0, dot);
    if (!all_digits(fraction)) return "";
  }
  if ((clock.size() != 5 && clock.size() != 8) || clock[2] != ':') return "";
  std::string digits(clock.substr(0, 2));
  digits += clock.substr(3, 2);
  if (clock.size() == 8 && clock[5] != ':') return "";
  digits += clock.size() == 8 ? clock.substr(6, 2) : std::string_view("00");
  if (!all_digits(digits)) return "";
  while (!fraction.empty() && fraction.back() == '0') fraction.remove_suffix(1);
  return date + "T" + digits + (fraction.empty() ? "" : "." + std::string(fraction));
}

bool names_a_span(std::string_view text) {
  return !text.empty() && text.size() <= word_max &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
                  c == '.';
         });
}

Result<std::string> word_of(const std::string& type, const std::string& value) {
  std::string word;
  if (type == "int") {
    if (all_digits(value)) word = value;
  } else if (type == "date") {
    word = date_word(value);
  } else if (type == "time") {
    word = time_word(value);
  } else if (type == "string") {
    if (names_a_span(value)) word = value;
  }
  if (!word.empty()) return word;
  const std::string wanted =
      type == "int" ? "whole numbers from 0 on"
      : type == "date" || type == "time"
          ? "dates and times of the years 0000 to 9999 in UTC"
          : "texts of letters, digits, '_' and '.', at most " + std::to_string(word_max) + " long";
  return Error{ErrorCode::invalid, "the watermark " + quoted(value) + " cannot name a span: " +
                                       wanted + " can; take another column as watermark"};
}

}  // namespace

std::vector<std::string> query_problems(const SourceSpec& source, const OperatorSet& operators,
                                        const BundleFiles& files) {
  std::vector<std::string> problems;
  const auto wrong = [&problems](std::string what) { problems.push_back(std::move(what)); };
  const QuerySpec& query = source.query;
  if (operators.find(query_operator) == operators.end()) {
    wrong(std::string("needs the operator ") + query_operator + ", which no installed plugin has");
  }
  if (query.database.empty()) {
    wrong("is of kind query and has no database: \"sqlite\" or \"postgresql\"");
  }
  if (query.database == "sqlite") {
    if (source.path.empty()) wrong("has no path: the SQLite file");
    if (!query.secret.empty()) wrong("has a secret, which an SQLite file has no use for");
  }
  if (query.database == "postgresql") {
    if (query.secret.empty()) {
      wrong("has no secret: the name of one in the daemon's configuration that holds the "
            "connection string");
    }
    if (!source.path.empty()) wrong("has a path, which a server has no use for");
  }
  const auto text = query.params.find("query");
  if (text == query.params.end()) {
    wrong("has no query: a SELECT, or { file = \"NAME\" }");
  } else if (const ValueTable* table = text->second.as_table()) {
    const std::string* file = file_reference(*table);
    if (file == nullptr) {
      wrong("has a query that is neither text nor { file = \"NAME\" }");
    } else if (files.find(*file) == files.end()) {
      wrong("reads its query from '" + *file + "', which is not beside the pipeline");
    }
  }
  if (!source.expect.schedule.empty() && query.watermark.empty()) {
    wrong("expects new spans and has no watermark, without which all answers are versions of one");
  }
  if (query.every_ms < query_every_min_ms) {
    wrong("is polled every " + std::to_string(query.every_ms) + " ms; at least " +
          std::to_string(query_every_min_ms) + " ms must lie between two polls");
  }
  return problems;
}

std::string query_file(const SourceSpec& source, const std::string& folder) {
  if (source.path.empty() || source.path.front() == '/') return source.path;
  return folder + "/" + source.path;
}

ValueTable poll_params(const SourceSpec& source, const ValueTable& params,
                       const std::string& folder, const PollRow& row, const PollRange& range) {
  ValueTable out = params;
  out["database"] = source.query.database;
  if (!source.path.empty()) out["path"] = query_file(source, folder);
  if (!source.query.secret.empty()) out["secret"] = source.query.secret;
  if (source.query.watermark.empty()) return out;
  out["watermark"] = source.query.watermark;
  if (!row.watermark.empty()) {
    out["after"] = row.watermark;
    out["after_type"] = row.type;
  }
  if (!range.take) out["take"] = false;
  if (!range.upto.empty()) out["upto"] = range.upto;
  return out;
}

PollNotes read_poll_notes(const Value& notes) {
  PollNotes read;
  const std::string rows = text_of(notes, "rows");
  if (all_digits(rows) && rows.size() < 18) read.rows = std::stoll(rows);
  read.first = text_of(notes, "first");
  read.last = text_of(notes, "last");
  read.seen = text_of(notes, "seen");
  read.type = text_of(notes, "type");
  return read;
}

Result<std::string> span_of_range(const std::string& type, const std::string& first,
                                  const std::string& last) {
  TRY(begin, word_of(type, first));
  TRY(end, word_of(type, last));
  return begin == end ? begin : begin + "-" + end;
}

std::int64_t poll_backoff_ms(std::int64_t failures, std::int64_t every_ms) {
  constexpr std::int64_t first_ms = 1000, longest_ms = 60'000;
  const std::int64_t bound = std::max(every_ms, longest_ms);
  std::int64_t wait = first_ms;
  for (std::int64_t i = 1; i < failures && wait < bound; ++i) wait *= 2;
  return std::min(wait, bound);
}

}  // namespace pipelined
