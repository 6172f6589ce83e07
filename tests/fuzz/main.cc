// pipelined-fuzz: replays the corpus, or changes it at random for a while; see docs/simulation.md.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include "tests/fuzz/coverage.h"
#include "tests/fuzz/targets.h"

namespace {

using namespace pipelined;
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::size_t input_bytes_max = 4096;
constexpr std::chrono::milliseconds slow{1000};

struct Arguments {
  fs::path corpus, found = ".";
  double seconds = 0;
  std::uint64_t seed = 1;
  std::string target;
};

std::string current;        // the input that is read now
std::string current_path;   // where it goes if it is the last one

/// A broken promise or a sanitizer ends the process: the input must be kept first.
void keep_current() {
  std::ofstream(current_path, std::ios::binary) << current;
  std::fprintf(stderr, "pipelined-fuzz: the input that did it is in %s\n", current_path.c_str());
}

extern "C" void on_end(int number) {
  keep_current();
  std::signal(number, SIG_DFL);
  std::raise(number);
}

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 2 + 1) {}
  std::size_t below(std::size_t bound) {
    state_ = state_ * 6364136223846793005 + 1442695040888963407;
    return static_cast<std::size_t>(state_ >> 33) % bound;
  }

 private:
  std::uint64_t state_;
};

std::string read_all(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> corpus_of(const fs::path& folder) {
  std::vector<fs::path> paths;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> inputs;
  for (const fs::path& path : paths) inputs.push_back(read_all(path));
  return inputs;
}

void change_once(std::string& input, const std::vector<std::string>& others, Random& random) {
  static constexpr const char* odd[] = {"\xff", "\xc0\x80", "\"", "\\", "{", "}", "[", "]", "-", "9223372036854775808",
                                        "1e999", "null", "\n", "\r\n", "%00", "%2f", "..", "*/0", "=", "\xf0\x9f\x98\x80"};
  const std::size_t at = random.below(input.size() + 1);
  const std::size_t length = std::min(input.size() - at, random.below(16));
  switch (random.below(7)) {
    case 0: input.insert(at, 1, static_cast<char>(random.below(256))); break;
    case 1: input.erase(at, length); break;
    case 2: input.insert(at, input.substr(at, length)); break;
    case 3: input.insert(at, odd[random.below(std::size(odd))]); break;
    case 4:
      if (at < input.size()) input[at] = static_cast<char>(input[at] ^ 1 << random.below(8));
      break;
    case 5:
      if (at < input.size()) input[at] = static_cast<char>(random.below(256));
      break;
    default: {
      const std::string& other = others[random.below(others.size())];
      const std::size_t from = random.below(other.size() + 1);
      input.insert(at, other.substr(from, random.below(64)));
    }
  }
}

/// Reads one input; false: it took too long.
bool read_one(const fuzz::Target& target, const std::string& input) {
  current = input;
  fuzz::begin_coverage();
  const auto began = Clock::now();
  target.read(input);
  return Clock::now() - began < slow;
}

bool fuzz_target(const fuzz::Target& target, const Arguments& arguments) {
  std::vector<std::string> inputs = corpus_of(arguments.corpus / target.name);
  if (inputs.empty()) {
    std::fprintf(stderr, "pipelined-fuzz: %s has no corpus in %s\n", target.name, arguments.corpus.c_str());
    return false;
  }
  current_path = (arguments.found / (std::string("fuzz-") + target.name + ".input")).string();
  const std::size_t given = inputs.size();
  for (const std::string& input : inputs) {
    if (!read_one(target, input)) return keep_current(), false;
    fuzz::take_new_coverage();
  }
  Random random(arguments.seed);
  std::uint64_t tried = 0;
  const auto end = Clock::now() + std::chrono::duration<double>(arguments.seconds);
  while (Clock::now() < end) {
    for (int i = 0; i < 64; ++i, ++tried) {
      std::string input = inputs[random.below(inputs.size())];
      for (std::size_t changes = 1 + random.below(4); changes > 0; --changes) {
        change_once(input, inputs, random);
      }
      input.resize(std::min(input.size(), input_bytes_max));
      if (!read_one(target, input)) return keep_current(), false;
      if (fuzz::take_new_coverage() > 0) inputs.push_back(std::move(input));
    }
  }
  std::printf("%-13s %zu given, %llu tried, %zu kept\n", target.name, given,
              static_cast<unsigned long long>(tried), inputs.size() - given);
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string word = argv[i], value = argv[i + 1];
    if (word == "--corpus") arguments.corpus = value;
    if (word == "--found") arguments.found = value;
    if (word == "--target") arguments.target = value;
    if (word == "--seconds") arguments.seconds = std::strtod(value.c_str(), nullptr);
    if (word == "--seed") arguments.seed = std::strtoull(value.c_str(), nullptr, 10);
  }
  if (arguments.corpus.empty() || argc % 2 == 0) {
    std::fprintf(stderr, "usage: pipelined-fuzz --corpus FOLDER [--target NAME] [--seconds S] [--seed N] [--found FOLDER]\n");
    return 2;
  }
  for (const int number : {SIGABRT, SIGSEGV, SIGILL, SIGFPE, SIGBUS}) std::signal(number, on_end);
  bool known = false;
  for (const fuzz::Target& target : fuzz::targets()) {
    if (!arguments.target.empty() && arguments.target != target.name) continue;
    known = true;
    if (!fuzz_target(target, arguments)) return 1;
  }
  if (!known) std::fprintf(stderr, "pipelined-fuzz: there is no target %s\n", arguments.target.c_str());
  return known ? 0 : 2;
}
