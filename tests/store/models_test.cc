// The model registry in the database: rows that stay as they are, and how it stood at a time.
#include "daemon/store/models.h"

#include <catch2/catch.hpp>

#include "daemon/store/sqlite.h"
#include "tests/store/store_world.h"

using namespace pipelined;

namespace {

ModelVersionRow some_version(const std::string& number, std::int64_t seq) {
  ModelVersionRow row;
  row.model = "late";
  row.version = *parse_model_version(number);
  row.content = sha256("content of " + number);
  row.artifacts = {{"model", 0, {sha256("model " + number), "model/1", 10}},
                   {"evaluation", 0, {sha256("evaluation " + number), "evaluation/1", 20}}};
  row.facts = ValueTable{{"architecture", "trees"},
                         {"inputs", ValueList{ValueTable{{"name", "humid"}, {"type", "float"}}}}};
  row.reason = {"data", "patch against 1.0.0", {{"data", "patch", "1 new"}}};
  row.pipeline = "p";
  row.step = "register";
  row.run = 7;
  row.result = 70;
  row.at = 1000;
  row.seq = seq;
  return row;
}

ModelMarkRow some_alias(const std::string& before, const std::string& value, TimeMs at) {
  ModelMarkRow row;
  row.model = "late";
  row.kind = "alias";
  row.subject = "champion";
  row.before = before;
  row.value = value;
  row.who = "ann";
  row.why = "better";
  row.at = at;
  row.seq = 100 + at;
  return row;
}

bool same(const ModelVersionRow& a, const ModelVersionRow& b) {
  return a.model == b.model && a.version == b.version && a.content == b.content &&
         a.artifacts == b.artifacts && a.facts == b.facts && a.reason == b.reason &&
         a.pipeline == b.pipeline && a.step == b.step && a.run == b.run && a.result == b.result &&
         a.at == b.at && a.seq == b.seq;
}

using Aliases = std::vector<std::pair<std::string, std::string>>;

}  // namespace

TEST_CASE("models: a version comes back as it was put, also after a new start", "[store][model]") {
  TestFolder folder;
  const ModelVersionRow put = some_version("1.0.1", 5);
  {
    auto store = open_in(folder);
    REQUIRE(put_all(*store, put));
  }
  auto store = open_in(folder);
  const auto found = store->find_model("late", put.version);
  REQUIRE(found);
  CHECK(same(*found, put));
  CHECK(same(*store->find_model_content("late", put.content), put));
  CHECK_FALSE(store->find_model("other", put.version));
  CHECK_FALSE(store->find_model("late", {1, 0, 0}));
  CHECK_FALSE(store->find_model_content("late", sha256("else")));
}

TEST_CASE("models: the newest is the highest number, not the last one put", "[store][model]") {
  TestFolder folder;
  auto store = open_in(folder);
  CHECK_FALSE(store->newest_model("late"));
  REQUIRE(put_all(*store, some_version("1.10.0", 1), some_version("1.9.3", 2),
                  some_version("1.2.12", 3)));
  CHECK(store->newest_model("late")->version.text() == "1.10.0");
  const auto rows = list_model_versions(*store, "late", 2);
  REQUIRE(rows.size() == 2);
  CHECK(rows[1].version.text() == "1.9.3");
  CHECK(list_models(*store) == std::vector<std::string>{"late"});
}

TEST_CASE("models: no statement changes or deletes a version, or puts the same twice",
          "[store][model]") {
  TestFolder folder;
  auto store = open_in(folder);
  REQUIRE(put_all(*store, some_version("1.0.0", 1)));
  for (const char* sql : {"UPDATE model_versions SET reason = 'x'", "DELETE FROM model_versions"}) {
    const auto done = store->database().execute(sql);
    REQUIRE_FALSE(done);
    CHECK_THAT(done.error().message, Catch::Contains("version of a model is never"));
  }
  CHECK_FALSE(put_all(*store, some_version("1.0.0", 2)));
  ModelVersionRow same_content = some_version("1.0.1", 3);
  same_content.content = sha256("content of 1.0.0");
  CHECK_FALSE(put_all(*store, same_content));
  CHECK(list_model_versions(*store, "late", 10).size() == 1);
}

TEST_CASE("models: a collection finds what versions are made of by their keys", "[store][model]") {
  TestFolder folder;
  auto store = open_in(folder);
  REQUIRE(put_all(*store, some_version("1.0.0", 1)));
  Query keys(store->database(),
             "SELECT count(*) FROM pragma_foreign_key_list('model_artifacts') k WHERE k.\"table\" = "
             "'artifacts' AND k.\"from\" = 'artifact'");
  REQUIRE(keys.next());
  CHECK(keys.integer(0) == 1);
  Query named(store->database(), "SELECT count(*) FROM model_artifacts");
  REQUIRE(named.next());
  CHECK(named.integer(0) == 2);
}

TEST_CASE("models: aliases stand as they stood at a time", "[store][model]") {
  TestFolder folder;
  auto store = open_in(folder);
  REQUIRE(put_all(*store, some_version("1.0.0", 1), some_version("1.1.0", 2),
                  some_alias("", "1.0.0", 10), some_alias("1.0.0", "1.1.0", 20),
                  some_alias("1.1.0", "", 30)));
  CHECK(list_aliases(*store, "late", 9).empty());
  CHECK(list_aliases(*store, "late", 10) == Aliases{{"champion", "1.0.0"}});
  CHECK(list_aliases(*store, "late", 29) == Aliases{{"champion", "1.1.0"}});
  CHECK(list_aliases(*store, "late", 30).empty());
  const auto marks = list_model_marks(*store, "late", 25, 10);
  REQUIRE(marks.size() == 2);
  CHECK(marks[0].value == "1.1.0");
  CHECK(marks[0].before == "1.0.0");
  CHECK(marks[0].who == "ann");
  CHECK(marks[0].why == "better");
  CHECK_FALSE(marks[0].rollback);
  CHECK(store->model_marks("late", "alias", "champion").size() == 3);
  CHECK(store->model_marks("late", "alias", "candidate").empty());
}

TEST_CASE("models: a rollback of the turn leaves nothing", "[store][model]") {
  TestFolder folder;
  auto store = open_in(folder);
  REQUIRE(store->begin());
  store->put(some_version("1.0.0", 1));
  store->put(some_alias("", "1.0.0", 10));
  CHECK(store->newest_model("late"));
  store->rollback();
  CHECK_FALSE(store->newest_model("late"));
  CHECK(store->model_marks("late", "alias", "champion").empty());
}

TEST_CASE("models: the maker of an artifact is who wrote it, not who passed it on",
          "[store][model]") {
  TestFolder folder;
  auto store = open_in(folder);
  const ArtifactRef raw{sha256("raw"), "files/1", 1}, table{sha256("table"), "examples/1", 1};
  ResultRow made, passed;
  made.id = 1, made.step = "ingest", made.seq = 1;
  made.inputs = {{"files", 0, raw}};
  made.outputs = {{"examples", 0, table}};
  passed.id = 2, passed.step = "validate", passed.seq = 2;
  passed.inputs = {{"examples", 0, table}};
  passed.outputs = {{"examples", 0, table}};
  REQUIRE(put_all(*store, made, passed));
  REQUIRE(store->find_maker(table.digest));
  CHECK(store->find_maker(table.digest)->step == "ingest");
  CHECK_FALSE(store->find_maker(raw.digest));
  InvalidationRow bad;
  bad.result = 1, bad.seq = 3;
  REQUIRE(put_all(*store, bad));
  CHECK_FALSE(store->find_maker(table.digest));
}
