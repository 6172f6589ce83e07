#include "daemon/notify/message.h"
#include "dag/hook_signature.h"

#include <catch2/catch.hpp>

#include "daemon/notify/command_sink.h"
#include "tests/notify/receiver.h"

namespace pipelined {
namespace {

using testing::Loop;

Mail mail() {
  Mail mail;
  mail.from = "p@example.org", mail.to = {"a@example.org"}, mail.key = "flights/1";
  mail.subject = "late", mail.text = "it is late\n", mail.at = 1'700'000'000'123;
  return mail;
}

}  // namespace

TEST_CASE("message: a webhook's signature is what openssl makes of id, time and body", "[notify]") {
  // printf 'msg_1.1614265330.{}' | openssl dgst -sha256 -hmac secret -binary | base64
  CHECK(hook_signature("secret", "msg_1", 1614265330, "{}") ==
        "v1,3/iD+UC/cFPl3PtRMPUcvEULlwun6jyVUEMvdX3yW5g=");
  CHECK(hook_signature("secret", "msg_1", 1614265331, "{}") !=
        hook_signature("secret", "msg_1", 1614265330, "{}"));
}

TEST_CASE("message: a mail has one Message-ID for all tries, and its date", "[notify]") {
  const auto text = mail_text(mail());
  REQUIRE(text);
  Mail later = mail();
  later.at += 60'000;
  const auto id_of = [](const std::string& all) {
    const std::size_t at = all.find("Message-ID: ");
    return all.substr(at, all.find("\r\n", at) - at);
  };
  CHECK(id_of(*text) == id_of(*mail_text(later)));
  CHECK(text->find("Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n") != std::string::npos);
  later.key = "flights/2";
  CHECK(id_of(*text) != id_of(*mail_text(later)));
}

TEST_CASE("message: nothing in a mail can add a header or a receiver", "[notify][security]") {
  for (const char* hostile : {"a@b\r\nBcc: c@d", "a@b\nX: y", "a b@c", "<a@b>", "a@b,c@d", "a@b>",
                              "", "a", "@b", "a@", "a@b@c", "a@b RCPT TO:<c@d>", "\"a\"@b"}) {
    CAPTURE(hostile);
    CHECK_FALSE(is_mail_address(hostile));
    Mail one = mail();
    one.to = {hostile};
    CHECK_FALSE(mail_text(one));
    one = mail();
    one.from = hostile;
    CHECK_FALSE(mail_text(one));
  }
  Mail one = mail();
  one.subject = "x\r\nBcc: evil@example.org\r\n\r\nbody \xc3\xa9";
  one.text = "\r\n.\r\nQUIT\r\n";
  const auto text = mail_text(one);
  REQUIRE(text);
  CHECK(text->find("evil") == std::string::npos);
  CHECK(text->find("QUIT") == std::string::npos);
  const std::string head = text->substr(0, text->find("\r\n\r\n"));
  for (std::size_t at = head.find('\n'); at != std::string::npos; at = head.find('\n', at + 1)) {
    CHECK(head[at - 1] == '\r');
    const bool folded = head[at + 1] == ' ';
    CHECK((folded || head.find(": ", at) != std::string::npos));
  }
}

TEST_CASE("command sink: status, time and missing programs are told apart", "[notify]") {
  Loop loop;
  CommandSink commands([&loop](std::function<void()> task) { loop.post(std::move(task)); });
  std::vector<Result<int>> said;
  const auto run = [&](std::vector<std::string> argv, std::int64_t timeout_ms) {
    const std::size_t before = said.size();
    commands.run({std::move(argv), "id", "sink", "summary", std::string(300'000, 'x'), timeout_ms},
                 [&said](Result<int> status) { said.push_back(std::move(status)); });
    REQUIRE(loop.run_until([&] { return said.size() > before; }));
    return said.back();
  };
  CHECK(*run({"/bin/sh", "-c", "test $(wc -c) = 300000"}, 10'000) == 0);
  CHECK(*run({"/bin/sh", "-c", "exit 7"}, 10'000) == 7);  // it reads nothing of its input
  CHECK_FALSE(run({"/nowhere/program"}, 10'000));
  CHECK(run({"/bin/sh", "-c", "sleep 60 & sleep 60"}, 50).error().message.find("in time") !=
        std::string::npos);
  CHECK(run({"/bin/sh", "-c", "kill -9 $$"}, 10'000).error().message.find("signal 9") !=
        std::string::npos);
}

}  // namespace pipelined
