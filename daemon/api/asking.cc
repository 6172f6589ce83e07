#include "daemon/api/asking.h"

#include <charconv>

#include "dag/nearest_name.h"

namespace pipelined::api {

Result<std::int64_t> asked_number(const Request& request, const char* name, std::int64_t fallback,
                                  std::int64_t least, std::int64_t most) {
  const std::string text = request.asked(name);
  if (text.empty()) return fallback;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < least || number > most) {
    return Error{ErrorCode::invalid, "parameter '" + std::string(name) + "' is '" + text +
                                         "'; it must be a whole number from " +
                                         std::to_string(least) + " to " + std::to_string(most)};
  }
  return number;
}

Result<bool> asked_flag(const Request& request, const char* name) {
  const std::string text = request.asked(name);
  if (text == "true" || text == "1") return true;
  if (text.empty() || text == "false" || text == "0") return false;
  return Error{ErrorCode::invalid,
               "parameter '" + std::string(name) + "' is '" + text + "'; it must be true or false"};
}

Result<RunNumber> run_number(Backend& backend, const Request& request) {
  const std::string& text = request.part("run");
  const RunNumber newest = newest_run(backend.store(), request.asked("pipeline"));
  if (text == "last") {
    if (newest == 0) return Error{ErrorCode::not_found, "there is no run yet"};
    return newest;
  }
  RunNumber number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number <= 0) {
    return Error{ErrorCode::invalid,
                 "'" + text + "' names no run; give a number, or 'last' for the newest one"};
  }
  if (!backend.store().find_run(number)) {
    return Error{ErrorCode::not_found,
                 "there is no run " + text +
                     (newest == 0 ? " and no other" : "; the newest is " + std::to_string(newest))};
  }
  return number;
}

Result<RunView> find_run_named(Backend& backend, const Request& request) {
  TRY(number, run_number(backend, request));
  std::optional<RunView> run = find_run_view(backend.store(), number);
  if (!run) return Error{ErrorCode::not_found, "there is no run " + std::to_string(number)};
  return *std::move(run);
}

Result<Digest> find_digest(Backend& backend, const std::string& text) {
  if (const std::optional<Digest> whole = parse_digest(text)) return *whole;
  if (text.size() < 4 || text.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return Error{ErrorCode::invalid, "'" + text +
                                         "' names no artifact; give at least 4 hexadecimal digits "
                                         "of its digest"};
  }
  const std::vector<Digest> found = find_artifacts(backend.store(), text, 2);
  if (found.empty()) return Error{ErrorCode::not_found, "no artifact's digest begins with " + text};
  if (found.size() > 1) {
    return Error{ErrorCode::invalid,
                 "several artifacts' digests begin with " + text + "; give more digits"};
  }
  return found.front();
}

Result<std::shared_ptr<const Pipeline>> find_pipeline(Backend& backend, const std::string& name) {
  if (auto pipeline = backend.pipeline(name)) return pipeline;
  std::vector<std::string> known;
  for (const PipelineRow& row : list_pipelines(backend.store())) known.push_back(row.name);
  std::string sentence = "there is no pipeline '" + name + "'" + did_you_mean(name, known);
  if (known.empty()) sentence += "; `pipectl apply FILE` uploads one";
  return Error{ErrorCode::not_found, sentence};
}

void submit(Backend& backend, Event event, const Respond& respond) {
  backend.submit(std::move(event), [respond](Result<RequestOutcome> outcome) {
    if (!outcome) return refuse(respond, outcome.error());
    answer(respond, protocol::Done{outcome->run, outcome->sentence});
  });
}

}  // namespace pipelined::api
