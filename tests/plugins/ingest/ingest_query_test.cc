// ingest.query as a function, over real SQLite files; PostgreSQL has its server in tests/e2e/query.py.
#include <sqlite3.h>
#include <sys/stat.h>

#include "operators/testing/fake_context.h"
#include "plugins/ingest/ingest_query.h"
#include "tests/plugins/ingest/ingest_run.h"

namespace {

using namespace pipelined;
using testing::cell;
using testing::FakeContext;

/// A database in a folder of its own.
class Shop {
 public:
  Shop() {
    std::string pattern = (std::filesystem::temp_directory_path() / "shop-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    folder_ = pattern;
    REQUIRE(sqlite3_open(path().c_str(), &handle_) == SQLITE_OK);
  }
  ~Shop() {
    sqlite3_close(handle_);
    std::filesystem::remove_all(folder_);
  }
  std::string path() const { return folder_ + "/shop.db"; }
  void run(const std::string& sql) {
    char* error = nullptr;
    const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, &error);
    INFO((error == nullptr ? "" : error));
    REQUIRE(code == SQLITE_OK);
  }
  void close() {
    REQUIRE(sqlite3_close(handle_) == SQLITE_OK);
    handle_ = nullptr;
  }

 private:
  std::string folder_;
  sqlite3* handle_ = nullptr;
};

/// One poll of it.
struct Poll {
  FakeContext context;
  wire::Ended ended;

  Poll(const Shop& shop, const std::string& query, const std::string& more = "") {
    context.params(R"({"database":"sqlite","path":")" + shop.path() + R"(","query":")" + query +
                   "\"" + (more.empty() ? "" : "," + more) + "}");
    context.output("examples", "examples/1");
    ended = context.run(run_ingest_query);
  }
  std::string note(const std::string& name) const {
    const auto found = ended.notes.find(name);
    if (found == ended.notes.end()) return "none";
    return found->second.as_text() != nullptr ? *found->second.as_text() : canonical(found->second);
  }
  std::shared_ptr<arrow::Table> table() const {
    return testing::read_examples(context.output_path("examples"));
  }
};

}  // namespace

TEST_CASE("ingest.query: every type of SQLite comes as what it is declared", "[ingest][query]") {
  Shop shop;
  shop.run("CREATE TABLE t (i INTEGER, r REAL, s VARCHAR(9), b BOOLEAN, d DATE, at DATETIME, x BLOB, n);"
           "INSERT INTO t VALUES (1, 0.1, 'Zürich', 1, '2024-01-05', '2024-01-05 08:30:00.25', x'00ff', 7),"
           "(9223372036854775807, 5, '', 0, NULL, '2024-01-05T08:30:00Z', NULL, NULL),"
           "(NULL, 1e300, NULL, NULL, '2024-02-29', NULL, x'', 8)");
  const Poll poll(shop, "SELECT * FROM t;");
  INFO(poll.ended.error);
  REQUIRE(poll.ended.outcome == Outcome::ok);
  CHECK(poll.note("rows") == "3");
  const auto table = poll.table();
  CHECK(table->schema()->ToString() ==
        "i: int64\nr: double\ns: string\nb: bool\nd: date32[day]\nat: timestamp[us]\nx: string\nn: int64");
  CHECK(cell(*table, "i", 1) == "9223372036854775807");
  CHECK(cell(*table, "i", 2) == "null");
  CHECK(cell(*table, "r", 0) == "0.1");
  CHECK(cell(*table, "r", 1) == "5");
  CHECK(cell(*table, "s", 0) == "Zürich");
  CHECK(cell(*table, "s", 1).empty());
  CHECK(cell(*table, "b", 0) == "true");
  CHECK(cell(*table, "d", 2) == "2024-02-29");
  CHECK(cell(*table, "at", 0) == "2024-01-05 08:30:00.250000");
  CHECK(cell(*table, "x", 0) == "00ff");
  CHECK(cell(*table, "n", 2) == "8");
}

TEST_CASE("ingest.query: a watermark takes the rows behind the last, in order", "[ingest][query]") {
  Shop shop;
  shop.run("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);"
           "INSERT INTO t VALUES (30, 'c'), (10, 'a'), (20, 'b'), (40, 'd')");
  const Poll first(shop, "SELECT v, id FROM t -- all\\n", R"("watermark":"id")");
  INFO(first.ended.error);
  REQUIRE(first.ended.outcome == Outcome::ok);
  CHECK(first.note("first") == "10");
  CHECK(first.note("last") == "40");
  CHECK(first.note("seen") == "40");
  CHECK(first.note("type") == "int");
  CHECK(cell(*first.table(), "v", 0) == "a");
  const Poll second(shop, "SELECT v, id FROM t",
                    R"("watermark":"id","after":"9","after_type":"int","upto":"30")");
  CHECK(second.note("rows") == "3");
  CHECK(second.note("last") == "30");
  CHECK(second.note("seen") == "40");
  const Poll none(shop, "SELECT v, id FROM t", R"("watermark":"id","after":"40","after_type":"int")");
  CHECK(none.ended.outcome == Outcome::ok);
  CHECK(none.note("rows") == "0");
  CHECK(none.ended.outputs.empty());
  const Poll look(shop, "SELECT v, id FROM t", R"("watermark":"id","take":false)");
  CHECK(look.note("seen") == "40");
  CHECK(look.note("rows") == "0");
  CHECK(look.ended.outputs.empty());
}

TEST_CASE("ingest.query: many rows come whole, batch after batch", "[ingest][query]") {
  Shop shop;
  shop.run("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);"
           "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20001) "
           "INSERT INTO t SELECT i, 'v' || i FROM n");
  const Poll poll(shop, "SELECT * FROM t", R"("watermark":"id")");
  INFO(poll.ended.error);
  REQUIRE(poll.ended.outcome == Outcome::ok);
  CHECK(poll.note("rows") == "20001");
  const auto table = poll.table();
  REQUIRE(table->num_rows() == 20001);
  for (const std::int64_t row : {0, 8191, 8192, 16384, 20000}) {
    CHECK(cell(*table, "v", row) == "v" + std::to_string(row + 1));
  }
}

TEST_CASE("ingest.query: times as text are a watermark too, ties and all", "[ingest][query]") {
  Shop shop;
  shop.run("CREATE TABLE t (id INT, at TIMESTAMP);"
           "INSERT INTO t VALUES (1, '2024-01-05 08:00:00'), (2, '2024-01-05 09:00:00'),"
           "(3, '2024-01-05 09:00:00'), (4, '2024-01-05 10:00:00')");
  const Poll poll(shop, "SELECT * FROM t",
                  R"("watermark":"at","after":"2024-01-05 08:00:00","after_type":"time",)"
                  R"("upto":"2024-01-05 09:00:00")");
  INFO(poll.ended.error);
  CHECK(poll.note("rows") == "2");
  CHECK(poll.note("first") == "2024-01-05 09:00:00");
  CHECK(poll.note("seen") == "2024-01-05 10:00:00");
}

TEST_CASE("ingest.query: what cannot work is said in a sentence", "[ingest][query]") {
  Shop shop;
  shop.run("CREATE TABLE t (id INTEGER, r REAL, n INT, s INT);"
           "INSERT INTO t VALUES (1, 0.5, 3, 1), (2, 1.5, NULL, 'warm')");
  using Catch::Contains;
  const auto error = [&shop](const std::string& query, const std::string& more = "") {
    const Poll poll(shop, query, more);
    CHECK(poll.ended.outcome == Outcome::invalid);
    return poll.ended.error;
  };
  CHECK_THAT(error("SELECT * FROM missing"), Contains("no such table: missing"));
  CHECK_THAT(error("SELECT missing FROM t"), Contains("no such column: missing"));
  CHECK_THAT(error("DELETE FROM t"), Contains("must only read"));
  CHECK_THAT(error("SELECT 1; SELECT 2"), Contains("must be one SELECT"));
  CHECK_THAT(error("SELECT id, id FROM t"), Contains("two columns 'id'"));
  CHECK_THAT(error(" ; "), Contains("the query is empty"));
  CHECK_THAT(error("SELECT * FROM t", R"("watermark":"at")"), Contains("is no column of the query"));
  CHECK_THAT(error("SELECT * FROM t", R"("watermark":"r")"),
             Contains("is of type REAL, which has no exact order"));
  CHECK_THAT(error("SELECT * FROM t", R"("watermark":"n")"),
             Contains("1 row has no value in the watermark 'n'"));
  CHECK_THAT(error("SELECT id, s FROM t", R"("watermark":"id")"),
             Contains("the row with id 2: 'warm' in column 's' is no int; state what it is with "
                      "types.s = \"string\""));
  CHECK_THAT(error("SELECT id FROM t",
                   R"("watermark":"id","after":"2024-01-01","after_type":"date")"),
             Contains("was of type date and is now of type int"));
  CHECK_THAT(error("SELECT id FROM t", R"("types":{"x":"int"})"), Contains("has no such column"));
  CHECK_THAT(error("SELECT id FROM t", R"("types":{"id":"real"})"), Contains("'real' is no type"));
  CHECK(Poll(shop, "SELECT id, s FROM t", R"("types":{"s":"string"})").ended.outcome == Outcome::ok);
}

TEST_CASE("ingest.query: a file that is not there or no database", "[ingest][query]") {
  FakeContext context;
  context.params(R"({"database":"sqlite","path":"/nowhere/shop.db","query":"SELECT 1 AS x"})");
  context.output("examples", "examples/1");
  const wire::Ended ended = context.run(run_ingest_query);
  CHECK(ended.outcome == Outcome::failed);
  CHECK_THAT(ended.error, Catch::Contains("there is no SQLite file /nowhere/shop.db"));
  Shop shop;
  shop.close();
  std::ofstream(shop.path(), std::ios::binary) << std::string(4096, 'x');
  const Poll poll(shop, "SELECT 1 AS x");
  CHECK_THAT(poll.ended.error, Catch::Contains("file is not a database"));
}

TEST_CASE("ingest.query: a file in write-ahead mode is read while others write, and when nobody does",
          "[ingest][query]") {
  Shop shop;
  shop.run("PRAGMA journal_mode=WAL; CREATE TABLE t (id INTEGER PRIMARY KEY);"
           "INSERT INTO t VALUES (1), (2)");
  const Poll open(shop, "SELECT * FROM t", R"("watermark":"id")");
  INFO(open.ended.error);
  CHECK(open.note("rows") == "2");
  shop.run("BEGIN IMMEDIATE; INSERT INTO t VALUES (3)");  // not committed
  const Poll midst(shop, "SELECT * FROM t", R"("watermark":"id")");
  CHECK(midst.note("last") == "2");
  shop.run("COMMIT");
  CHECK(Poll(shop, "SELECT * FROM t", R"("watermark":"id")").note("last") == "3");
  shop.close();
  const std::filesystem::path folder = std::filesystem::path(shop.path()).parent_path();
  REQUIRE_FALSE(std::filesystem::exists(shop.path() + "-wal"));
  ::chmod(folder.c_str(), 0500);  // as it looks to a worker, unless the test is root
  const Poll alone(shop, "SELECT * FROM t", R"("watermark":"id")");
  ::chmod(folder.c_str(), 0700);
  INFO(alone.ended.error);
  CHECK(alone.note("last") == "3");
}

TEST_CASE("ingest.query: PostgreSQL without its secret, or with a server that is not there",
          "[ingest][query]") {
  FakeContext context;
  context.params(R"({"database":"postgresql","secret":"shop","query":"SELECT 1 AS x"})");
  context.output("examples", "examples/1");
  CHECK_THAT(context.run(run_ingest_query).error, Catch::Contains("was not handed the secret 'shop'"));
  FakeContext other;
  other.params(R"({"database":"postgresql","secret":"shop","query":"SELECT 1 AS x"})");
  other.output("examples", "examples/1");
  other.secret("shop", "host=" + other.folder().string() + " dbname=shop\n");
  const wire::Ended ended = other.run(run_ingest_query);
  CHECK(ended.outcome == Outcome::retry);
  CHECK_THAT(ended.error, Catch::Contains("connect to PostgreSQL: connection to server on socket"));
}
