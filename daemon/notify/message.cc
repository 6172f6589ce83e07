#include "daemon/notify/message.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "dag/digest.h"

namespace pipelined {
namespace {

constexpr std::size_t line_bytes = 57;  // 76 characters of base64

std::string base64(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

/// A header's value as encoded words: nothing in it can end the line.
std::string encoded_words(std::string_view text) {
  std::string made;
  while (!text.empty() || made.empty()) {
    std::size_t size = std::min<std::size_t>(text.size(), 42);
    // A character is never cut in two.
    while (size < text.size() && size > 1 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) {
      --size;
    }
    made += (made.empty() ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?") + base64(text.substr(0, size)) + "?=";
    text.remove_prefix(size);
  }
  return made;
}

std::string mail_date(TimeMs at) {
  const std::time_t seconds = static_cast<std::time_t>(at / 1000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%s, %02d %s %d %02d:%02d:%02d +0000",
                days[parts.tm_wday % 7], parts.tm_mday, months[parts.tm_mon % 12],
                parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
  return text.data();
}

}  // namespace

bool is_mail_address(std::string_view address) {
  const std::size_t at = address.find('@');
  if (at == address.npos || at == 0 || at + 1 == address.size() || address.size() > 254) return false;
  return std::all_of(address.begin(), address.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte < 0x7f && std::string_view("<>()[],;:\\\"").find(c) ==
                                             std::string_view::npos;
  }) && address.find('@', at + 1) == address.npos;
}

Result<std::string> mail_text(const Mail& mail) {
  std::vector<std::string> addresses = mail.to;
  addresses.push_back(mail.from);
  for (const std::string& address : addresses) {
    if (is_mail_address(address)) continue;
    return Error{ErrorCode::invalid, "'" + address + "' is no address that a mail can be sent to"};
  }
  if (mail.to.empty()) return Error{ErrorCode::invalid, "the mail has no receiver"};
  std::string to;
  for (const std::string& address : mail.to) to += (to.empty() ? "" : ",\r\n ") + address;
  const std::string host = mail.from.substr(mail.from.find('@') + 1);
  std::string text = "Date: " + mail_date(mail.at) + "\r\nFrom: " + mail.from + "\r\nTo: " + to +
                     "\r\nSubject: " + encoded_words(mail.subject) + "\r\nMessage-ID: <" +
                     sha256(mail.key).hex() + "@" + host +
                     ">\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
                     "Content-Type: text/plain; charset=utf-8\r\n"
                     "Content-Transfer-Encoding: base64\r\n\r\n";
  for (std::string_view rest = mail.text; !rest.empty();) {
    const std::string_view line = rest.substr(0, line_bytes);
    text += base64(line) + "\r\n";
    rest.remove_prefix(line.size());
  }
  return text;
}

}  // namespace pipelined
