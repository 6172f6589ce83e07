// What handlers have in common: reading parameters, finding what a request names, answering.
//
// Every function here either gives a value or the error that the caller should see.  No state; loop
// thread only.
#pragma once

#include <string>
#include <vector>

#include "daemon/api/backend.h"
#include "daemon/api/exchange.h"
#include "daemon/api/protocol.h"

namespace pipelined::api {

/// A whole number from the query within limits, or the fallback when it is absent.
Result<std::int64_t> asked_number(const Request& request, const char* name, std::int64_t fallback,
                                  std::int64_t least, std::int64_t most);
/// true for "true" and "1", false when absent, "false" or "0".
Result<bool> asked_flag(const Request& request, const char* name);

/// The run that `{run}` means: a number, or `last`.
Result<RunView> find_run_named(Backend& backend, const Request& request);
/// The same, its number alone.
Result<RunNumber> run_number(Backend& backend, const Request& request);
/// The artifact that a digest or a unique prefix of one means.
Result<Digest> find_digest(Backend& backend, const std::string& text);
/// An error that names the nearest pipeline, if there is none of this name.
Result<std::shared_ptr<const Pipeline>> find_pipeline(Backend& backend, const std::string& name);

/// Sends a request to the engine and its outcome back.
void submit(Backend& backend, Event event, const Respond& respond);

/// Answers with a struct of the protocol.
template <class T>
void answer(const Respond& respond, const T& value) {
  respond(json_answer(protocol::to_json(value)));
}
/// Answers with an error.
inline void refuse(const Respond& respond, const Error& error) { respond(error_answer(error)); }

/// The body of a request; an unknown field is an error.
template <class T>
Result<T> read_body(const Request& request) {
  auto value = protocol::from_json_strictly<T>(request.body.empty() ? "{}" : request.body);
  if (!value) return value.error().within("the request's body");
  return value;
}

}  // namespace pipelined::api
