// Older files become current ones without losing a row; a copy of the old file stays.
#include <catch2/catch.hpp>
#include <sys/stat.h>

#include <filesystem>
#include <set>

#include "daemon/store/old_copy.h"
#include "daemon/store/schema.h"
#include "daemon/store/sqlite.h"
#include "tests/store/schema_version_1.h"
#include "tests/store/store_world.h"

using namespace pipelined;

namespace {

/// A row in every table, as a program of version 1 wrote them.
constexpr const char* rows_of_version_1 = R"sql(
INSERT INTO meta VALUES ('instance', 'old-instance');
UPDATE counters SET value = 4711 WHERE name = 'seq';
INSERT INTO artifacts VALUES (1, zeroblob(32), 'examples/1', 100, 1, 5, NULL, NULL);
INSERT INTO pipelines VALUES ('flights', zeroblob(32), 7, '/srv/flights', 1, 0, 3);
INSERT INTO arrivals VALUES (11, 'flights', 'flights', '2013-10', 1, 1, '/in/a.csv', 9, 1, 12);
INSERT INTO spans VALUES ('flights', 'flights', '2013-10', 1, 11, 1, 'accepted', '', '', NULL, 1,
                          1, 9, 13);
INSERT INTO runs VALUES (1, 'flights', zeroblob(32), 'succeeded', 'arrival', 11, 14, 10, 11, 12,
                         'arrival', 'arrival flights 2013-10', NULL, '', '', NULL, NULL, 1, NULL);
INSERT INTO run_spans VALUES (1, '[]');
INSERT INTO steps VALUES (1, 'ingest', '2013-10', 'succeeded', zeroblob(32), 1, 1, 0, 1, 0, 10, 11,
                          15, 'first', 'the first time', NULL, 'flights', 1);
INSERT INTO attempts VALUES ('01J0', 1, 'ingest', '2013-10', 1, 'f', 0, 'ok', 0, '', 10, 11, 5, 6);
INSERT INTO results VALUES (1, zeroblob(32), 0, 'flights', 1, 'ingest', '2013-10', '01J0', '', 10,
                            11, 16, 1, 1, NULL, 'operator ingest 1');
INSERT INTO bindings VALUES (1, 1, 0, 'examples', 0, 1);
INSERT INTO metrics VALUES (1, 0, 'rows', '', 24.0);
INSERT INTO acceptances VALUES (zeroblob(32), 'mia', 'fine', 0, 1, 'validate', '', 9, 17);
INSERT INTO resolutions VALUES (zeroblob(32), 1, 'model', 0, 1, 'run 1 train', 18);
INSERT INTO alerts VALUES ('a/1', 'flights', 'validate', 'error', 'halted', 1, 'validate', '', 9,
                           19, NULL);
INSERT INTO outbox VALUES (1, 'a/1', 'hook', 'webhook', 'http://x', 'done', 1, 0, 9, '');
INSERT INTO decisions VALUES (1, 'accept', 'flights', 'validate', 'mia', 'fine', 1, 9, 20);
)sql";

/// A closed database of version 1.
void make_old(const std::string& path, const std::string& rows = rows_of_version_1) {
  auto database = Database::open({path, 0});
  REQUIRE(database);
  REQUIRE((*database)->execute(std::string("BEGIN;") + schema_version_1 + rows +
                               "PRAGMA user_version=1;COMMIT;"));
}

/// Number of rows of every table.
std::set<std::string> rows_in(Database& database) {
  std::set<std::string> found;
  Query tables(database, std::string("SELECT name FROM sqlite_schema WHERE type = 'table'"));
  while (tables.next()) {
    Query count(database, "SELECT count(*) FROM " + tables.string(0));
    REQUIRE(count.next());
    found.insert(tables.string(0) + " " + std::to_string(count.integer(0)));
  }
  return found;
}

/// Tables and columns, however their text came about.
std::set<std::string> shape_of(Database& database) {
  std::set<std::string> found;
  Query columns(database,
                std::string("SELECT t.name, c.name, c.type, c.\"notnull\", c.pk, t.type FROM "
                            "sqlite_schema t JOIN pragma_table_xinfo(t.name) c"));
  while (columns.next()) {
    std::string line;
    for (int i = 0; i < 6; ++i) line += columns.string(i) + " ";
    found.insert(line);
  }
  return found;
}

}  // namespace

TEST_CASE("migration: a file of version 1 keeps every row and works", "[store][migration]") {
  const TestFolder folder;
  make_old(folder.file("state.db"));
  std::set<std::string> before;
  {
    auto old = Database::open({folder.file("state.db"), 0});
    before = rows_in(**old);
  }
  const auto store = open_in(folder);
  const std::set<std::string> after = rows_in(store->database());
  for (const std::string& line : before) {
    if (line.rfind("meta ", 0) == 0) continue;  // facts about the program are added at a start
    CAPTURE(line);
    CHECK(after.count(line) == 1);
  }
  CHECK(store->meta("instance") == "old-instance");
  REQUIRE(store->find_run(1));
  CHECK(store->find_run(1)->reason.sentence == "arrival flights 2013-10");
  REQUIRE(store->find_result_by_id(1));
  CHECK(store->find_result_by_id(1)->metrics.at(0).value == 24.0);
  CHECK(store->recover()->last_seq == 4711);
  CHECK(store->check().empty());
  CHECK(put_all(*store, run_row(2)).has_value());
}

TEST_CASE("migration: a migrated file has the tables of a new one", "[store][migration]") {
  const TestFolder old, fresh;
  make_old(old.file("state.db"));
  CHECK(shape_of(open_in(old)->database()) == shape_of(open_in(fresh)->database()));
}

TEST_CASE("migration: a checked copy of the old file stays beside the new one",
          "[store][migration]") {
  const TestFolder folder;
  make_old(folder.file("state.db"));
  open_in(folder);
  const std::string kept = old_copy_path(folder.file("state.db"), 1);
  CHECK(check_copy(kept, 1).has_value());
  struct stat found {};
  REQUIRE(::stat(kept.c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0600);
  auto copy = Database::open({kept, 0});
  CHECK(rows_in(**copy).count("decisions 1") == 1);
}

TEST_CASE("migration: a new file needs no copy", "[store][migration]") {
  const TestFolder folder;
  open_in(folder);
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    CHECK(entry.path().filename().string().find("version") == std::string::npos);
  }
}

TEST_CASE("migration: one that fails changes nothing and says so", "[store][migration]") {
  const TestFolder folder;
  // A table in the way of one that the next version makes.
  make_old(folder.file("state.db"),
           std::string(rows_of_version_1) + "CREATE TABLE pins (x INTEGER) STRICT;");
  const auto refused = Store::open(options_in(folder));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("they are unchanged") != std::string::npos);
  CHECK(refused.error().message.find("from version 1 to") != std::string::npos);
  auto database = Database::open({folder.file("state.db"), 0});
  Query version(**database, "PRAGMA user_version");
  REQUIRE(version.next());
  CHECK(version.integer(0) == 1);
  CHECK(rows_in(**database).count("decisions 1") == 1);
}

TEST_CASE("migration: without room for the copy the old file is left alone",
          "[store][migration]") {
  const TestFolder folder;
  make_old(folder.file("state.db"));
  // A folder in the place of the copy: it can be neither written nor replaced.
  std::filesystem::create_directories(folder.file("state.db.version-1.part/in the way"));
  const auto refused = Store::open(options_in(folder));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("nothing was changed") != std::string::npos);
  auto database = Database::open({folder.file("state.db"), 0});
  Query version(**database, "PRAGMA user_version");
  REQUIRE(version.next());
  CHECK(version.integer(0) == 1);
}
