#include "daemon/log.h"

#include <algorithm>
#include <utility>

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "dag/value.h"

namespace pipelined {
namespace {

/// Lines that wait for a slow reader before the oldest are dropped.
constexpr std::size_t lines_waiting_max = 8192;

bool is_plain(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return c > ' ' && c != '"' && c != '=' && c != 0x7f;
  });
}

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warning: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

/// What the journal reads a line's priority from.
const char* journal_mark(spdlog::level::level_enum level) {
  if (level == spdlog::level::err) return "<3>";
  if (level == spdlog::level::warn) return "<4>";
  return level == spdlog::level::debug ? "<7>" : "<6>";
}

}  // namespace

LogField::LogField(const char* name, std::string_view text)
    : key(name), value(is_plain(text) ? std::string(text) : pipelined::quoted(text)) {}

LogField::LogField(const char* name, std::int64_t number)
    : key(name), value(std::to_string(number)) {}

std::string log_line(const char* event, std::initializer_list<LogField> fields) {
  std::string line = event;
  for (const LogField& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    line += field.value;
  }
  return line;
}

struct Log::State {
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<spdlog::async_logger> logger;
  bool journal = false;

  void write(spdlog::level::level_enum level, const char* event,
             std::initializer_list<LogField> fields) {
    if (!logger->should_log(level)) return;
    const std::string line = log_line(event, fields);
    logger->log(level, spdlog::string_view_t(journal ? journal_mark(level) + line : line));
  }
};

Log::Log(LogLevel level, bool journal) : state_(std::make_unique<State>()) {
  state_->journal = journal;
  state_->pool = std::make_shared<spdlog::details::thread_pool>(lines_waiting_max, 1);
  state_->logger = std::make_shared<spdlog::async_logger>(
      "pipelined", std::make_shared<spdlog::sinks::stderr_sink_mt>(), state_->pool,
      spdlog::async_overflow_policy::overrun_oldest);
  state_->logger->set_level(level_of(level));
  state_->logger->set_pattern(journal ? "%v" : "%Y-%m-%dT%H:%M:%S.%eZ %l %v",
                              spdlog::pattern_time_type::utc);
}

void Log::set_level(LogLevel level) { state_->logger->set_level(level_of(level)); }

Log::~Log() { state_->logger->flush(); }

void Log::debug(const char* event, std::initializer_list<LogField> fields) {
  state_->write(spdlog::level::debug, event, fields);
}
void Log::info(const char* event, std::initializer_list<LogField> fields) {
  state_->write(spdlog::level::info, event, fields);
}
void Log::warning(const char* event, std::initializer_list<LogField> fields) {
  state_->write(spdlog::level::warn, event, fields);
}
void Log::error(const char* event, std::initializer_list<LogField> fields) {
  state_->write(spdlog::level::err, event, fields);
}

}  // namespace pipelined
