// The words that a script of python.call is started with.
#include "operators/python_call.h"

#include <catch2/catch.hpp>

using namespace pipelined;
using Catch::Matchers::Contains;
using Words = std::vector<std::string>;

TEST_CASE("python.call: inputs, arguments and outputs become words by name", "[operators][python]") {
  CommandPaths paths;
  paths.inputs = {{"code", {"/s/step.py"}}, {"rows", {"/t/1", "/t/2"}}, {"none", {}}};
  paths.outputs = {{"clean", "/a/out/clean"}};
  const ValueTable arguments = {{"depth", Value(3)}, {"rate", Value(1.0)}, {"word", Value("a {b}")}};
  CHECK(*python_words({{"arguments", Value(arguments)}}, paths) ==
        Words{"python3", "/s/step.py", "rows=", "/t/1", "/t/2", "depth:=3", "rate:=1.0",
              "word:=\"a {b}\"", "clean>/a/out/clean"});
  CHECK(python_words({{"python", Value("/v/bin/python")}}, paths)->front() == "/v/bin/python");
}

TEST_CASE("python.call: what cannot be started is said", "[operators][python]") {
  CommandPaths paths;
  CHECK_THAT(python_words({}, paths).error().message, Contains("needs one script"));
  paths.inputs["code"] = {"/s/1.py", "/s/2.py"};
  CHECK_FALSE(python_words({}, paths));
  paths.inputs["code"] = {"/s/1.py"};
  CHECK_THAT(python_words({{"python", Value(3)}}, paths).error().message, Contains("interpreter"));
  CHECK_THAT(python_words({{"arguments", Value("x")}}, paths).error().message, Contains("a table"));
}
