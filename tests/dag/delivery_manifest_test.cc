// The list of files that says that a span is complete.
#include <catch2/catch.hpp>

#include "dag/delivery_manifest.h"

using namespace pipelined;

TEST_CASE("delivery manifest: names, with or without digests as sha256sum prints them",
          "[dag][delivery]") {
  // echo -n x | sha256sum, by coreutils
  const std::string hex = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";
  const auto files = parse_delivery_manifest("# two parts\n" + hex + "  part-1.csv\r\n\n./part-0.csv\n" +
                                             hex + " *sub/part 2.csv");
  REQUIRE(files);
  REQUIRE(files->size() == 3);
  CHECK((*files)[0] == ListedFile{"part-0.csv", std::nullopt});
  CHECK((*files)[1].path == "part-1.csv");
  CHECK((*files)[1].digest == sha256("x"));
  CHECK((*files)[2].path == "sub/part 2.csv");
}

TEST_CASE("delivery manifest: what leads elsewhere or says nothing is refused", "[dag][delivery]") {
  const auto error = [](const char* text) {
    const auto files = parse_delivery_manifest(text);
    return files ? std::string("none") : files.error().message;
  };
  CHECK(error("") == "the manifest names no file");
  CHECK(error("# nothing\n") == "the manifest names no file");
  CHECK_THAT(error("a.csv\n../b.csv\n"), Catch::Contains("line 2 of the manifest names '../b.csv'"));
  CHECK_THAT(error("/etc/passwd\n"), Catch::Contains("line 1"));
  CHECK_THAT(error("a.csv\nb.csv\na.csv\n"), Catch::Contains("'a.csv' twice"));
}
