#include "cli/session.h"

#include <fstream>
#include <ostream>

#include "cli/yaml.h"

namespace pipelined::cli {
namespace {

/// The first line of a file; empty when there is none.
std::string read_token(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
  return line;
}

}  // namespace

Session::Session(Terminal terminal_in, Environment environment_in, Arguments arguments_in)
    : terminal(terminal_in),
      environment(std::move(environment_in)),
      arguments(std::move(arguments_in)) {
  const std::string word = arguments.text("output", "table");
  format = word == "json"   ? Format::json
           : word == "yaml" ? Format::yaml
           : word == "wide" ? Format::wide
                            : Format::table;
  quiet = arguments.has("quiet");
}

Client& Session::client() {
  if (!client_) {
    const std::string file = arguments.text("token-file", environment.token_file);
    const std::string token = file.empty() ? environment.token : read_token(file);
    Address address = find_address(arguments.text("socket", environment.socket),
                                   arguments.text("url", environment.url), token,
                                   {environment.runtime_dir, environment.state_home,
                                    environment.home});
    if (!file.empty() && token.empty()) address.problem = "there is no token in the file " + file;
    address.authority = environment.authority;
    client_.emplace(std::move(address));
  }
  return *client_;
}

int Session::fail(const Error& error) {
  terminal.err << "pipectl: " << safe(error.message) << "\n";
  switch (error.code) {
    case ErrorCode::invalid:
    case ErrorCode::not_found: return exit_usage;
    case ErrorCode::denied: return exit_denied;
    case ErrorCode::unavailable: return exit_unreachable;
    default: return exit_failed;
  }
}

void Session::say(const std::string& sentence) {
  if (!quiet && !sentence.empty()) terminal.err << safe(sentence) << "\n";
}

std::string Session::safe(const std::string& text) const {
  return terminal.is_terminal ? escaped(text) : text;
}

int Session::show(const std::function<void()>& tell) {
  if (format == Format::json) {
    terminal.out << raw_;
    if (raw_.empty() || raw_.back() != '\n') terminal.out << "\n";
  } else if (format == Format::yaml) {
    terminal.out << yaml_of(raw_);
  } else {
    tell();
  }
  return exit_done;
}

Table Session::table(std::vector<Column> columns) const {
  return Table(std::move(columns), format == Format::wide);
}

void Session::print(const Table& table) {
  const int width = terminal.is_terminal && format != Format::wide ? terminal.width : 0;
  terminal.out << table.text({width, terminal.colour, terminal.is_terminal, !quiet});
}

int exit_of_state(const std::string& state) {
  if (state == "halted") return exit_halted;
  if (state == "in_review") return exit_in_review;
  if (state == "failed") return exit_failed;
  if (state == "rejected") return exit_rejected;
  if (state == "cancelled") return exit_cancelled;
  return exit_done;
}

std::string run_target(const Session& session, const std::string& rest) {
  return "/api/v1/runs/" + protocol::percent_encode(session.arguments.text("RUN", "last")) + rest;
}

std::string query_of(const std::vector<std::pair<std::string, std::string>>& parameters) {
  std::string query;
  for (const auto& [name, value] : parameters) {
    if (value.empty()) continue;
    query += (query.empty() ? "?" : "&") + name + "=" + protocol::percent_encode(value);
  }
  return query;
}

std::string short_time(protocol::Time time) {
  std::string text = protocol::iso_time(time.ms);
  if (text.size() < 19) return "-";
  text[10] = ' ';
  return text.substr(0, 19);
}

std::string exact_time(protocol::Time time) {
  std::string text = protocol::iso_time(time.ms);
  if (text.size() < 23) return "-";
  text[10] = ' ';
  return text.substr(0, 23);
}

}  // namespace pipelined::cli
