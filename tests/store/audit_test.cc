#include "daemon/store/audit.h"

#include <catch2/catch.hpp>
#include <functional>

#include "daemon/store/sqlite.h"
#include "daemon/store/tokens.h"
#include "tests/store/store_world.h"

using namespace pipelined;

namespace {

AuditRow line(const std::string& who, const std::string& action) {
  AuditRow row;
  row.at = 1'700'000'000'000, row.who = who, row.role = "operator", row.from = "socket pid 4";
  row.action = action, row.subject = "/api/v1/runs/4/cancel", row.outcome = "done: run 4";
  row.body = sha256("{}");
  return row;
}

/// A store with ten lines, closed, for somebody who edits the file behind the daemon's back.
void write_ten(const TestFolder& folder) {
  const auto store = open_in(folder);
  for (int i = 0; i < 10; ++i) {
    REQUIRE(store->record_audit(line("person " + std::to_string(i), "POST /x")));
  }
}

std::vector<std::string> problems_after(const std::string& sql) {
  const TestFolder folder;
  write_ten(folder);
  {
    auto database = Database::open({folder.file("state.db"), 0});
    REQUIRE(database);
    REQUIRE((*database)->execute("DROP TRIGGER audit_never_changes; "
                                 "DROP TRIGGER audit_never_shrinks;"));
    REQUIRE((*database)->execute(sql));
  }
  const auto store = open_in(folder);
  return verify_audit(*store).problems;
}

}  // namespace

TEST_CASE("audit: lines form one chain that goes on after a restart", "[store][audit]") {
  const TestFolder folder;
  write_ten(folder);
  const auto store = open_in(folder);
  REQUIRE(store->record_audit(line("later", "POST /y")));
  const AuditCheck check = verify_audit(*store);
  CHECK(check.problems.empty());
  CHECK(check.rows == 11);
  const auto rows = list_audit(*store, {"", 0, 2});
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].who == "later");
  CHECK(rows[0].number == 11);
  CHECK(rows[0].previous == rows[1].digest);
  CHECK(rows[0].digest == check.head);
  CHECK(list_audit(*store, {"person 3", 0, 50}).size() == 1);
}

TEST_CASE("audit: an empty log is whole", "[store][audit]") {
  const TestFolder folder;
  const auto store = open_in(folder);
  CHECK(verify_audit(*store).problems.empty());
  CHECK(verify_audit(*store).rows == 0);
}

TEST_CASE("audit: a line is recorded with its turn or not at all", "[store][audit]") {
  const TestFolder folder;
  const auto store = open_in(folder);
  REQUIRE(store->record_audit(line("first", "POST /x")));
  REQUIRE(store->begin());
  store->append_audit(line("undone", "POST /x"));
  store->rollback();
  REQUIRE(store->begin());
  store->append_audit(line("second", "POST /x"));
  store->append_audit(line("third", "POST /x"));
  REQUIRE(store->commit());
  CHECK(verify_audit(*store).problems.empty());
  const auto rows = list_audit(*store, {});
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].who == "third");
  CHECK(rows[1].who == "second");
}

TEST_CASE("audit: the database itself refuses to change or remove a line", "[store][audit]") {
  const TestFolder folder;
  write_ten(folder);
  auto database = Database::open({folder.file("state.db"), 0});
  REQUIRE(database);
  CHECK_FALSE((*database)->execute("UPDATE audit SET who = 'nobody' WHERE number = 3"));
  CHECK_FALSE((*database)->execute("DELETE FROM audit"));
}

TEST_CASE("audit: every kind of tampering is found", "[store][audit][security]") {
  CHECK(problems_after("SELECT 1").empty());
  for (const char* column : {"at", "who", "role", "origin", "action", "subject", "outcome"}) {
    CAPTURE(column);
    const std::string value = std::string(column) == "at" ? "7" : "'other'";
    CHECK(problems_after("UPDATE audit SET " + std::string(column) + " = " + value +
                         " WHERE number = 4").size() == 1);
  }
  CHECK(problems_after("UPDATE audit SET body = NULL WHERE number = 1").size() == 1);
  CHECK_FALSE(problems_after("DELETE FROM audit WHERE number = 1").empty());
  CHECK_FALSE(problems_after("DELETE FROM audit WHERE number = 5").empty());
  CHECK_FALSE(problems_after("DELETE FROM audit WHERE number = 10").empty());
  CHECK_FALSE(problems_after("DELETE FROM audit").empty());
  CHECK_FALSE(problems_after("UPDATE audit SET number = 20 WHERE number = 10").empty());
  CHECK_FALSE(problems_after("UPDATE audit SET digest = randomblob(32) WHERE number = 6").empty());
}

TEST_CASE("tokens: a name is used once at a time, and again when it was revoked",
          "[store][tokens]") {
  const TestFolder folder;
  const auto store = open_in(folder);
  TokenRow token;
  token.name = "ci", token.role = "viewer", token.digest = sha256("a"), token.created_at = 1;
  REQUIRE(put_token(*store, token, line("root", "POST /api/v1/tokens")));
  token.digest = sha256("b");
  CHECK(put_token(*store, token, line("root", "x")).error().code == ErrorCode::conflict);
  REQUIRE(revoke_token(*store, "ci", 5, "root", line("root", "x")));
  CHECK(revoke_token(*store, "ci", 6, "root", line("root", "x")).error().code ==
        ErrorCode::not_found);
  REQUIRE(put_token(*store, token, line("root", "x")));
  const auto rows = list_tokens(*store);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].revoked_at == 0);
  CHECK(rows[1].revoked_at == 5);
  CHECK(rows[1].revoked_by == "root");
  CHECK(verify_audit(*store).rows == 3);
}
