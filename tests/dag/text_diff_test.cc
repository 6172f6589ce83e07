#include "dag/text_diff.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <charconv>
#include <random>
#include <vector>

using namespace pipelined;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size() - 1);
    lines.push_back(text.substr(at, end + 1 - at));
    at = end + 1;
  }
  return lines;
}

// What `patch` does: the places are taken as they are said, every line that stays or goes is compared.
std::string patched(const std::string& before, const std::string& diff) {
  const std::vector<std::string> old = lines_of(before), told = lines_of(diff);
  std::string out;
  std::size_t at = 0;
  for (std::size_t i = 0; i < told.size(); ++i) {
    if (told[i].rfind("@@ -", 0) == 0) {
      std::size_t start = 0, count = 1;
      const char* end = told[i].data() + told[i].size();
      const auto read = std::from_chars(told[i].data() + 4, end, start);
      if (*read.ptr == ',') std::from_chars(read.ptr + 1, end, count);
      for (const std::size_t first = count == 0 ? start : start - 1; at < first; ++at) {
        out += old.at(at);
      }
      continue;
    }
    if (told[i].front() == '\\') continue;
    std::string line = told[i].substr(1);
    if (i + 1 < told.size() && told[i + 1].front() == '\\') line.pop_back();
    if (told[i].front() != '+') REQUIRE(old.at(at++) == line);
    if (told[i].front() != '-') out += line;
  }
  for (; at < old.size(); ++at) out += old[at];
  return out;
}

std::size_t changes_in(const std::string& diff) {
  std::size_t changes = 0;
  for (const std::string& line : lines_of(diff)) {
    changes += line.front() == '+' || line.front() == '-' ? 1 : 0;
  }
  return changes;
}

// The fewest lines to take away and put in, by the table of all common beginnings.
std::size_t fewest_changes(const std::string& before, const std::string& after) {
  const std::vector<std::string> a = lines_of(before), b = lines_of(after);
  std::vector<std::vector<std::size_t>> common(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = 0; j < b.size(); ++j) {
      common[i + 1][j + 1] =
          a[i] == b[j] ? common[i][j] + 1 : std::max(common[i][j + 1], common[i + 1][j]);
    }
  }
  return a.size() + b.size() - 2 * common[a.size()][b.size()];
}

}  // namespace

TEST_CASE("text diff: a changed line is told with the lines around it", "[diff]") {
  CHECK(text_diff("a\nb\nc\nd\ne\nf\ng\nh\n", "a\nb\nc\nd\nE\nf\ng\nh\n") ==
        "@@ -2,7 +2,7 @@\n b\n c\n d\n-e\n+E\n f\n g\n h\n");
  CHECK(text_diff("a\n", "a\nb\n", 0) == "@@ -1,0 +2 @@\n+b\n");
  CHECK(text_diff("", "a\nb\n") == "@@ -0,0 +1,2 @@\n+a\n+b\n");
  CHECK(text_diff("a\n", "") == "@@ -1 +0,0 @@\n-a\n");
  CHECK(text_diff("a\nb", "a\nb\n") ==
        "@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+b\n");
  CHECK(text_diff("same\n", "same\n").empty());
  CHECK(text_diff("", "").empty());
}

TEST_CASE("text diff: places far apart are hunks of their own", "[diff]") {
  std::string before, after;
  for (int i = 0; i < 30; ++i) {
    before += std::to_string(i) + "\n";
    after += (i == 3 || i == 20 ? "new" : std::to_string(i)) + "\n";
  }
  const std::string diff = text_diff(before, after);
  CHECK(diff.find("@@ -1,7 +1,7 @@\n") == 0);
  CHECK(diff.find("@@ -18,7 +18,7 @@\n") != std::string::npos);
  CHECK(changes_in(diff) == 4);
}

TEST_CASE("text diff: of any two texts it makes the second of the first, in fewest changes",
          "[diff]") {
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    const auto text = [&] {
      std::string lines;
      for (std::size_t left = random() % 24; left > 0; --left) {
        lines += std::string(1, static_cast<char>('a' + random() % 4)) + "\n";
      }
      if (!lines.empty() && random() % 4 == 0) lines.pop_back();
      return lines;
    };
    const std::string before = text(), after = text();
    const std::string diff = text_diff(before, after, random() % 4);
    INFO(before << "---\n" << after << "---\n" << diff);
    REQUIRE(patched(before, diff) == after);
    REQUIRE(changes_in(diff) == fewest_changes(before, after));
  }
}

TEST_CASE("text diff: texts with nothing in common are told as a whole", "[diff]") {
  std::string before = "head\n", after = "head\n";
  for (int i = 0; i < 20'000; ++i) {
    before += "old " + std::to_string(i) + "\n", after += "new " + std::to_string(i) + "\n";
  }
  const std::string diff = text_diff(before, after);
  CHECK(patched(before, diff) == after);
  CHECK(changes_in(diff) == 40'000);
}
