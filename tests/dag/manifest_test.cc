#include "dag/manifest.h"

#include <catch2/catch.hpp>

using namespace pipelined;

TEST_CASE("manifest: canonical text and its digest", "[manifest]") {
  Manifest manifest;
  manifest.type = "examples/1";
  manifest.files = {{"a.csv", sha256("abc"), 3, false}, {"bin/\"run\"", sha256(""), 0, true}};
  const std::string text =
      R"({"files":[{"exec":false,"path":"a.csv","sha256":")" + sha256("abc").hex() +
      R"(","size":3},{"exec":true,"path":"bin/\"run\"","sha256":")" + sha256("").hex() +
      R"(","size":0}],"type":"examples/1"})";
  CHECK(manifest.text() == text);
  CHECK(manifest.digest() == sha256(text));
  CHECK(manifest.size() == 3);
  CHECK(Manifest{"files/1", {}}.text() == R"({"files":[],"type":"files/1"})");
}

TEST_CASE("manifest: every field decides the digest", "[manifest]") {
  const Manifest one{"files/1", {{"a", sha256("abc"), 3, false}}};
  const auto differs = [&](auto change) {
    Manifest other = one;
    change(other);
    return other.digest() != one.digest();
  };
  CHECK(differs([](Manifest& m) { m.type = "files/2"; }));
  CHECK(differs([](Manifest& m) { m.files[0].path = "b"; }));
  CHECK(differs([](Manifest& m) { m.files[0].digest = sha256("abd"); }));
  CHECK(differs([](Manifest& m) { m.files[0].size = 4; }));
  CHECK(differs([](Manifest& m) { m.files[0].exec = true; }));
  CHECK_FALSE(differs([](Manifest&) {}));
}

TEST_CASE("manifest: paths that stay inside", "[manifest]") {
  for (const char* path : {"a", "a/b.csv", ".hidden", "a/..b", "...", "ä/→", "a b"}) {
    CHECK(is_manifest_path(path));
  }
  for (const char* path : {"", "/", "/a", "a/", "a//b", ".", "..", "./a", "a/./b", "a/../b", "a/.."}) {
    CHECK_FALSE(is_manifest_path(path));
  }
  CHECK_FALSE(is_manifest_path(std::string("a\0b", 3)));
  CHECK(is_manifest_path(std::string(4096, 'a')));
  CHECK_FALSE(is_manifest_path(std::string(4097, 'a')));
}
