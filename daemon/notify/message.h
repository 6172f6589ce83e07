// What a message looks like to a receiver: signatures of webhooks, mails as text.
//
// Pure functions over text; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dag/records.h"
#include "dag/result.h"

namespace pipelined {

/// What a mail is made of.
struct Mail {
  std::string from, key, subject, text;
  std::vector<std::string> to;
  TimeMs at = 0;
};

/// The mail as RFC 5322 text with CRLF.  The Message-ID is made of the key, so that every try has
/// the same.  Error `invalid`: an address that could add a header or a command.
Result<std::string> mail_text(const Mail& mail);

/// Whether an address can stand in a header and in an SMTP command as it is.
bool is_mail_address(std::string_view address);

}  // namespace pipelined
