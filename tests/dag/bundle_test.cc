#include "dag/bundle.h"

#include <catch2/catch.hpp>

using namespace pipelined;

namespace {

std::string refusal(const BundleFiles& files, const BundleLimits& limits = {}) {
  const auto checked = check_bundle(files, limits);
  REQUIRE_FALSE(checked);
  return checked.error().message;
}

}  // namespace

TEST_CASE("bundle: a pipeline file and what it names", "[bundle]") {
  const BundleFiles files = {{"pipeline.toml", "name = 'p'"}, {"sql/join.sql", "select 1"}};
  CHECK(check_bundle(files));
  const Manifest manifest = bundle_manifest(files);
  CHECK(manifest.type == "bundle/1");
  REQUIRE(manifest.files.size() == 2);
  CHECK(manifest.files[0].path == "pipeline.toml");
  CHECK(manifest.files[1].size == 8);
  CHECK(manifest.files[1].digest == sha256("select 1"));
}

TEST_CASE("bundle: the version hangs on names and contents alone", "[bundle]") {
  const BundleFiles files = {{"pipeline.toml", "name = 'p'"}, {"a.sql", "x"}};
  CHECK(bundle_version(files) == bundle_version(BundleFiles(files)));
  BundleFiles changed = files;
  changed["a.sql"] = "y";
  CHECK(bundle_version(changed) != bundle_version(files));
  BundleFiles renamed = files;
  renamed.erase("a.sql");
  renamed["b.sql"] = "x";
  CHECK(bundle_version(renamed) != bundle_version(files));
}

TEST_CASE("bundle: what cannot be one is refused with the reason", "[bundle]") {
  using Catch::Contains;
  CHECK_THAT(refusal({{"a.sql", "x"}}), Contains("no pipeline.toml"));
  for (const char* name : {"../x", "/etc/passwd", "a//b", "./a", "a/..", ""}) {
    CHECK_THAT(refusal({{"pipeline.toml", ""}, {name, "x"}}), Contains("is no path inside"));
  }
  CHECK_THAT(refusal({{"pipeline.toml", ""}, {"a", ""}, {"a/b", ""}}),
             Contains("both a file and a folder"));
  CHECK(check_bundle({{"pipeline.toml", ""}, {"a", ""}, {"a-b", ""}, {"ab/c", ""}}));
  BundleLimits small;
  small.bytes = 10;
  small.files = 2;
  CHECK_THAT(refusal({{"pipeline.toml", std::string(11, 'x')}}, small), Contains("11 bytes"));
  CHECK_THAT(refusal({{"pipeline.toml", ""}, {"a", ""}, {"b", ""}}, small), Contains("3 files"));
}
