// Plugins as the daemon sees them: what is in use, what is refused and with which sentence.
//
// Every plugin here is a real file that a real worker loads; variants.c has one for each way to be
// wrong.  Each case gets its own plugin folder.
#include <catch2/catch.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "daemon/exec/plugin_registry.h"
#include "operators/descriptor.h"
#include "operators/value_json.h"

namespace {

namespace fs = std::filesystem;
using Catch::Contains;
using pipelined::PluginOptions;
using pipelined::PluginRegistry;
using pipelined::read_plugins;

class Folder {
 public:
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "plugins-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    root_ = pattern;
    fs::create_directory(plugins());
    options.folders = {plugins().string()};
    options.worker = WORKER;
    options.cache = (root_ / "cache").string();
  }
  ~Folder() { fs::remove_all(root_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  Folder& add(const std::string& file, const std::string& name = {}) {
    const fs::path target = plugins() / (name.empty() ? fs::path(file).filename() : fs::path(name));
    fs::copy_file(file, target);
    REQUIRE(chmod(target.c_str(), 0755) == 0);
    return *this;
  }
  Folder& add_variant(const std::string& name) {
    return add(std::string(VARIANTS) + "/" + name + ".so");
  }
  PluginRegistry read() const { return read_plugins(options); }
  fs::path plugins() const { return root_ / "plugins"; }
  const fs::path& root() const { return root_; }

  PluginOptions options;

 private:
  fs::path root_;
};

// The one sentence with which a variant is refused.
std::string refusal(const std::string& variant, std::int64_t timeout_ms = 10'000) {
  Folder folder;
  folder.options.timeout_ms = timeout_ms;
  const PluginRegistry found = folder.add_variant(variant).read();
  CHECK(found.plugins.empty());
  CHECK(found.operators.size() == pipelined::builtin_operators().size());
  REQUIRE(found.problems.size() == 1);
  CHECK_THAT(found.problems[0], Contains(variant + ".so"));
  return found.problems[0];
}

// What the worker found out about this kernel.
std::int64_t landlock_abi() {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(WORKER " probe", "r"), pclose);
  REQUIRE(pipe);
  std::string text;
  for (int c = 0; (c = std::fgetc(pipe.get())) != EOF;) text += static_cast<char>(c);
  const auto facts = pipelined::value_from_json(text);
  REQUIRE(facts.has_value());
  return *facts->as_table()->at("landlock_abi").as_int();
}

}  // namespace

TEST_CASE("registry: a plugin's operators come with all that it declares", "[abi][registry]") {
  Folder folder;
  const PluginRegistry found = folder.add(EXAMPLE).read();
  CHECK(found.problems.empty());
  REQUIRE(found.operators.count("example.count") == 1);
  const pipelined::OperatorInfo& info = found.operators.at("example.count");
  CHECK(info.plugin == "example");
  CHECK(info.behaviour == 1);
  CHECK(info.input("files")->many);
  CHECK(info.output("report")->evidence);
  CHECK(*info.param("lines_min")->default_value.as_int() == 0);
  CHECK(info.param("lines_min")->min == 0);
  CHECK(info.cacheable);
  CHECK(info.build.empty());
  CHECK(found.path_of("example") == (folder.plugins() / "example.so").string());
  CHECK(found.plugins.at("example").fork_safe);
  CHECK_FALSE(found.path_of("other").has_value());
}

TEST_CASE("registry: command.run is there without any plugin", "[abi][registry]") {
  const PluginRegistry found = Folder().read();
  REQUIRE(found.operators.count("command.run") == 1);
  CHECK(found.operators.at("command.run").plugin.empty());
  CHECK(found.operators.at("command.run").open_outputs);
}

TEST_CASE("registry: another interface version is refused with both versions", "[abi][registry]") {
  CHECK_THAT(refusal("major"), Contains("needs plugin interface 99.1 and this is 0.1"));
  CHECK_THAT(refusal("minor"), Contains("needs plugin interface 0.77 and this is 0.1"));
}

TEST_CASE("registry: short structs and a missing entry are refused", "[abi][registry]") {
  CHECK_THAT(refusal("short_entry"), Contains("its entry has 16 bytes where interface 0.1 has 64"));
  CHECK_THAT(refusal("short_port"), Contains("24 bytes where this version has 40"));
  CHECK_THAT(refusal("no_entry"), Contains("does not export pl_plugin_entry"));
}

TEST_CASE("registry: a plugin that contradicts itself or refuses is not used", "[abi][registry]") {
  CHECK_THAT(refusal("contradiction"), Contains("has an effect and can therefore not be cach"));
  CHECK_THAT(refusal("init"), Contains("its init refused: no licence"));
}

TEST_CASE("registry: a crash, a hang or an exit while loading harms nobody", "[abi][registry]") {
  CHECK_THAT(refusal("crash"), Contains("crashed while loading (SIGSEGV)"));
  CHECK_THAT(refusal("leave"), Contains("ended the worker with exit status 0 while loading"));
  const auto before = std::chrono::steady_clock::now();
  CHECK_THAT(refusal("hang", 300), Contains("did not finish loading within 300 ms"));
  CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(10));
}

TEST_CASE("registry: one bad plugin does not keep the others away", "[abi][registry]") {
  Folder folder;
  folder.options.timeout_ms = 2000;
  folder.add_variant("hang").add_variant("crash").add_variant("major").add(EXAMPLE);
  const PluginRegistry found = folder.read();
  CHECK(found.problems.size() == 3);
  CHECK(found.operators.count("example.count") == 1);
}

TEST_CASE("registry: a file that is no library is refused", "[abi][registry]") {
  Folder folder;
  std::ofstream(folder.plugins() / "text.so") << "not a library";
  std::ofstream(folder.plugins() / "notes.txt") << "passed over";
  std::error_code ignored;
  fs::permissions(folder.plugins() / "text.so", fs::perms(0644), ignored);
  const PluginRegistry found = folder.read();
  REQUIRE(found.problems.size() == 1);
  CHECK_THAT(found.problems[0], Contains("text.so"));
}

TEST_CASE("registry: what a plugin prints while it loads forges nothing", "[abi][registry]") {
  Folder folder;
  const PluginRegistry found = folder.add_variant("print").read();
  CHECK(found.problems.empty());
  CHECK(found.plugins.count("variant") == 1);
  CHECK(found.plugins.count("forged") == 0);
}

TEST_CASE("registry: a loading plugin writes nothing where Landlock stands", "[abi][registry]") {
  Folder folder;
  const PluginRegistry found = folder.add_variant("write").read();
  const bool wrote = fs::remove("variant-was-here");
  if (landlock_abi() == 0) {
    WARN("not possible here: this kernel has no Landlock");
    return;
  }
  CHECK_FALSE(wrote);
  CHECK(found.plugins.count("variant") == 1);
}

TEST_CASE("registry: threads started while loading rule out forking", "[abi][registry]") {
  Folder folder;
  const PluginRegistry found = folder.add_variant("thread").read();
  REQUIRE(found.plugins.count("variant") == 1);
  CHECK_FALSE(found.plugins.at("variant").fork_safe);
  CHECK(found.plugins.at("variant").threads == std::vector<std::string>(1, "restless"));
}

TEST_CASE("registry: a description is kept by the file's digest", "[abi][registry]") {
  Folder folder;
  folder.add(EXAMPLE);
  CHECK_FALSE(folder.read().plugins.at("example").from_cache);
  folder.options.worker = "/nonexistent/worker";
  const PluginRegistry again = folder.read();
  CHECK(again.problems.empty());
  CHECK(again.plugins.at("example").from_cache);
  CHECK(again.operators.at("example.count").params.size() == 1);

  std::ofstream(folder.plugins() / "example.so", std::ios::app) << "x";
  const PluginRegistry changed = folder.read();
  REQUIRE(changed.problems.size() == 1);
  CHECK_THAT(changed.problems[0], Contains("cannot start /nonexistent/worker"));
}

TEST_CASE("registry: a damaged description is asked anew", "[abi][registry]") {
  Folder folder;
  folder.add(EXAMPLE).read();
  for (const auto& entry : fs::directory_iterator(folder.options.cache)) {
    std::ofstream(entry.path()) << "{\"id\":";
  }
  const PluginRegistry found = folder.read();
  CHECK_FALSE(found.plugins.at("example").from_cache);
  CHECK(found.operators.count("example.count") == 1);
}

TEST_CASE("registry: versions read at load time are never kept", "[abi][registry]") {
  Folder folder;
  folder.add_variant("asks");
  CHECK(folder.read().operators.at("variant.run").libraries.at(0).version == "7.1");
  CHECK_FALSE(folder.read().plugins.at("variant").from_cache);
}

TEST_CASE("registry: a plugin under development is named by its bytes", "[abi][registry]") {
  Folder folder;
  const PluginRegistry found = folder.add_variant("dev").read();
  CHECK(found.operators.at("variant.run").build == found.plugins.at("variant").digest.hex());
  CHECK(found.operators.at("variant.run").build.size() == 64);
}

TEST_CASE("registry: the first of two plugins or operators of one name counts", "[abi][registry]") {
  Folder folder;
  folder.add(EXAMPLE, "a.so").add(EXAMPLE, "b.so").add_variant("taken");
  const PluginRegistry found = folder.read();
  CHECK(found.path_of("example") == (folder.plugins() / "a.so").string());
  REQUIRE(found.problems.size() == 2);
  CHECK_THAT(found.problems[0], Contains("b.so") && Contains("is taken from"));
  CHECK_THAT(found.problems[1],
             Contains("operator \"example.count\" is one of plugin \"example\" already"));
}

TEST_CASE("registry: files and folders that others may write are refused", "[abi][registry]") {
  Folder folder;
  folder.add(EXAMPLE);
  const fs::path file = folder.plugins() / "example.so";
  REQUIRE(chmod(file.c_str(), 0775) == 0);
  CHECK_THAT(folder.read().problems.at(0), Contains("chmod go-w"));
  REQUIRE(chmod(file.c_str(), 0755) == 0);
  CHECK(folder.read().problems.empty());
  REQUIRE(chmod(folder.plugins().c_str(), 0777) == 0);
  const PluginRegistry open = folder.read();
  CHECK_THAT(open.problems.at(0), Contains("cannot use plugin folder"));
  CHECK(open.plugins.empty());
}

TEST_CASE("registry: another user's file is refused", "[abi][registry]") {
  if (geteuid() != 0) {
    WARN("not possible here: only root can give a file away");
    return;
  }
  Folder folder;
  folder.add(EXAMPLE);
  REQUIRE(chown((folder.plugins() / "example.so").c_str(), 12345, 12345) == 0);
  CHECK_THAT(folder.read().problems.at(0), Contains("user 12345 owns it"));
}

TEST_CASE("registry: links and missing folders are refused", "[abi][registry]") {
  Folder folder;
  fs::create_symlink(EXAMPLE, folder.plugins() / "link.so");
  folder.options.folders.push_back((folder.root() / "missing").string());
  const PluginRegistry found = folder.read();
  REQUIRE(found.problems.size() == 2);
  CHECK_THAT(found.problems[0], Contains("symbolic link"));
  CHECK_THAT(found.problems[1], Contains("No such file"));
}
