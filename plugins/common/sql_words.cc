#include "plugins/common/sql_words.h"

#include <algorithm>
#include <array>

namespace pipelined {
namespace {

bool begins_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool continues_word(char c) { return begins_word(c) || (c >= '0' && c <= '9') || c == '$'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Behind the closing quote; doubled quotes are part of the text.
std::size_t after_quoted(std::string_view sql, std::size_t at, char quote) {
  for (++at; at < sql.size(); ++at) {
    if (sql[at] != quote) continue;
    if (at + 1 < sql.size() && sql[at + 1] == quote) {
      ++at;
      continue;
    }
    return at + 1;
  }
  return sql.size();
}

/// Behind $tag$ … $tag$, or `at` when it is no such text.
std::size_t after_dollars(std::string_view sql, std::size_t at) {
  std::size_t end = at + 1;
  while (end < sql.size() && continues_word(sql[end]) && sql[end] != '$') ++end;
  if (end >= sql.size() || sql[end] != '$') return at;
  const std::string_view tag = sql.substr(at, end + 1 - at);
  const std::size_t close = sql.find(tag, end + 1);
  return close == std::string_view::npos ? sql.size() : close + tag.size();
}

/// Behind blanks and comments.
std::size_t after_blanks(std::string_view sql, std::size_t at) {
  for (;;) {
    while (at < sql.size() && (sql[at] == ' ' || sql[at] == '\t' || sql[at] == '\n' ||
                               sql[at] == '\r' || sql[at] == '\f' || sql[at] == '\v')) {
      ++at;
    }
    if (sql.substr(at).starts_with("--")) {
      at = std::min(sql.find('\n', at), sql.size());
    } else if (sql.substr(at).starts_with("/*")) {
      const std::size_t close = sql.find("*/", at + 2);
      at = close == std::string_view::npos ? sql.size() : close + 2;
    } else {
      return at;
    }
  }
}

Error refuse(std::string_view sql, std::size_t at, const std::string& why) {
  const auto begin = sql.begin();
  const auto place = begin + static_cast<std::ptrdiff_t>(at);
  const auto line = std::count(begin, place, '\n') + 1;
  const std::size_t start = at == 0 ? std::string_view::npos : sql.rfind('\n', at - 1);
  const std::size_t column = at - (start == std::string_view::npos ? 0 : start + 1) + 1;
  return {ErrorCode::invalid, "query line " + std::to_string(line) + ", column " +
                                  std::to_string(column) + ": " + why};
}

/// Words that stand for functions without brackets.
constexpr std::array bare_functions{"current_date", "current_time",   "current_timestamp",
                                    "localtime",    "localtimestamp", "current_user",
                                    "session_user", "current_role",   "current_catalog",
                                    "current_schema", "current_database"};

}  // namespace

std::vector<SqlWord> sql_words(std::string_view sql) {
  std::vector<SqlWord> words;
  for (std::size_t at = after_blanks(sql, 0); at < sql.size(); at = after_blanks(sql, at)) {
    const char c = sql[at];
    const std::size_t begin = at;
    SqlWord word;
    if (c == '\'') {
      at = after_quoted(sql, at, '\'');
      continue;
    }
    if (c == '$' && after_dollars(sql, at) != at) {
      at = after_dollars(sql, at);
      continue;
    }
    if (c == '"') {
      at = after_quoted(sql, at, '"');
      word.quoted = true;
      word.text = sql.substr(begin + 1, at - begin - 2);
      std::transform(word.text.begin(), word.text.end(), word.text.begin(), lower);
    } else if (begins_word(c)) {
      while (at < sql.size() && continues_word(sql[at])) ++at;
      word.text = sql.substr(begin, at - begin);
      std::transform(word.text.begin(), word.text.end(), word.text.begin(), lower);
      // E'…' holds backslash escapes: a quote behind a backslash does not close it.
      if (word.text == "e" && at < sql.size() && sql[at] == '\'') {
        for (++at; at < sql.size() && sql[at] != '\''; ++at) at += sql[at] == '\\';
        at = std::min(at + 1, sql.size());
        continue;
      }
    } else if (c >= '0' && c <= '9') {
      while (at < sql.size() && (continues_word(sql[at]) || sql[at] == '.')) ++at;
      continue;
    } else {
      ++at;
      continue;
    }
    const std::size_t next = after_blanks(sql, at);
    word.at = begin;
    word.called = next < sql.size() && sql[next] == '(';
    words.push_back(std::move(word));
  }
  return words;
}

Result<void> check_sql_words(std::string_view sql, const std::set<std::string>& functions) {
  const std::vector<SqlWord> words = sql_words(sql);
  if (!words.empty() && !words[0].quoted && words[0].text == "pragma") {
    return refuse(sql, words[0].at, "only SELECT may run here");
  }
  for (std::size_t i = 0; i < words.size(); ++i) {
    const SqlWord& word = words[i];
    if (word.called && functions.contains(word.text)) {
      return refuse(sql, word.at, word.text + "() is refused: its answer does not follow from the "
                                              "inputs alone, so it could not be repeated");
    }
    if (word.text.starts_with("duckdb_") || word.text.starts_with("pragma_") ||
        word.text == "information_schema" || word.text == "pg_catalog" ||
        word.text.starts_with("sqlite_")) {
      return refuse(sql, word.at, word.text + " is refused: it tells of the machine, not of the "
                                              "inputs");
    }
    if (word.quoted) continue;
    for (const char* name : bare_functions) {
      if (word.text == name) {
        return refuse(sql, word.at, word.text + " is refused: its answer does not follow from the "
                                                "inputs alone, so it could not be repeated");
      }
    }
    const bool sample = word.text == "tablesample" ||
                        (word.text == "sample" && i > 0 && words[i - 1].text == "using");
    if (sample) {
      return refuse(sql, word.at, "sampling is refused: it takes other rows each time; choose rows "
                                  "by hash(key) instead");
    }
  }
  return {};
}

}  // namespace pipelined
