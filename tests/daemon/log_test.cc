#include "daemon/log.h"

#include <catch2/catch.hpp>

namespace pipelined {

TEST_CASE("log: a fact is one line of words", "[daemon][log]") {
  CHECK(log_line("ready", {}) == "ready");
  CHECK(log_line("run_changed", {{"run", std::int64_t{4}}, {"state", "halted"}}) ==
        "run_changed run=4 state=halted");
  CHECK(log_line("alert", {{"id", "flights/2013-12/validate"}}) ==
        "alert id=flights/2013-12/validate");
}

TEST_CASE("log: what could break a line is quoted", "[daemon][log]") {
  CHECK(log_line("x", {{"why", "two words"}}) == "x why=\"two words\"");
  CHECK(log_line("x", {{"why", "a\nb"}}) == "x why=\"a\\nb\"");
  CHECK(log_line("x", {{"why", ""}}) == "x why=\"\"");
  CHECK(log_line("x", {{"why", "say \"no\""}}) == "x why=\"say \\\"no\\\"\"");
  CHECK(log_line("x", {{"why", "\x1b[31m"}}).find('\x1b') == std::string::npos);
}

}  // namespace pipelined
