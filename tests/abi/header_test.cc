// What the text of the header promises: a thread tag for every pointer; and that plugins of this
// tree export their entry alone.
#include <catch2/catch.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <regex>
#include <string>
#include <vector>

namespace {

std::string header_text() {
  std::ifstream file(SOURCES "/operators/pipelined_plugin.h");
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string output_of(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  REQUIRE(pipe);
  std::string text;
  for (int c = 0; (c = std::fgetc(pipe.get())) != EOF;) text += static_cast<char>(c);
  return text;
}

}  // namespace

TEST_CASE("header: every function pointer has exactly one thread tag", "[abi][header]") {
  const std::string text = header_text();
  // Behind the conventions: comments and function pointers in order.
  const std::regex token(R"(\[(pure|worker-main|any-thread)\]|\(\*(\w+)\)\()");
  int tags = 0, pointers = 0;
  std::string pending;
  for (std::sregex_iterator match(text.begin() + static_cast<std::ptrdiff_t>(text.find("#ifndef")),
                                  text.end(), token), end;
       match != end; ++match) {
    if ((*match)[1].matched) {
      ++tags;
      CHECK(pending.empty());
      pending = (*match)[1];
    } else {
      ++pointers;
      INFO("function pointer " << (*match)[2]);
      CHECK_FALSE(pending.empty());
      pending.clear();
    }
  }
  CHECK(pointers > 30);
  CHECK(tags == pointers);
}

TEST_CASE("header: it is short and begins with its conventions", "[abi][header]") {
  const std::string text = header_text();
  CHECK(std::count(text.begin(), text.end(), '\n') <= 350);
  for (int number = 1; number <= 8; ++number) {
    CHECK(text.find(" *  " + std::to_string(number) + ". ") < text.find("#ifndef"));
  }
}

TEST_CASE("header: plugins export their entry and nothing else", "[abi][header]") {
  std::vector<std::string> files{EXAMPLE};
  if (std::filesystem::is_directory(PLUGINS)) {
    for (const auto& entry : std::filesystem::directory_iterator(PLUGINS)) {
      if (entry.path().extension() == ".so") files.push_back(entry.path().string());
    }
  }
  for (const std::string& file : files) {
    INFO(file);
    const std::string symbols = output_of("nm -D --defined-only '" + file + "'");
    CHECK(std::regex_match(symbols, std::regex("[0-9a-f]+ [DR] pl_plugin_entry\n")));
  }
}
