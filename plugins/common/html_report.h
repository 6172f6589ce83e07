// Reports as one HTML file that needs nothing else: no network, no script, no font.
//
// A report is a title, a verdict and blocks one below the other: headings, paragraphs, tables, pairs
// of bars.  All text is escaped.  It works in light and dark surroundings and on paper.  Knows
// nothing of what it reports on.  One thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pipelined {

/// How good or bad something is, shown by colour and by word.
enum class Tone { neutral, good, warning, bad };

/// One cell of a table; numbers stand to the right.
struct ReportCell {
  std::string text;
  Tone tone = Tone::neutral;
  bool number = false;
};

/// One value of a comparison: a label and a share from 0 to 1 on each side.
struct ReportBar {
  std::string label;
  double before = 0, now = 0;
};

/// One thing that a report tells much of: a feature with its figures and drawings.
struct ReportCard {
  std::string title, kind;                       ///< "fare", "float"
  Tone tone = Tone::neutral;
  std::string remark;                            ///< behind the title: what differs, what is wrong
  std::vector<std::string> problems;             ///< a line each
  std::vector<std::string> headers;              ///< of the figures; may be empty
  std::vector<std::vector<ReportCell>> figures;
  std::string drawing;                           ///< SVG; empty: none
  std::string bars_title;
  std::vector<ReportBar> bars;                   ///< one bar a value, two if `two_sides`
  bool two_sides = false;
};

class HtmlReport {
 public:
  HtmlReport(std::string_view title, std::string_view subtitle);

  /// The one sentence that a hurried reader needs.
  void verdict(Tone tone, std::string_view word, std::string_view sentence);
  void heading(std::string_view text);
  void paragraph(std::string_view text);
  /// REQUIRES: each row has as many cells as there are headers.
  void table(const std::vector<std::string>& headers,
             const std::vector<std::vector<ReportCell>>& rows);
  /// Two bars a value, drawn to one scale; `before` and `now` name the sides.
  void bars(std::string_view title, std::string_view before, std::string_view now,
            const std::vector<ReportBar>& values);

  /// What the colours of both sides mean.
  void key(std::string_view before, std::string_view now);
  void card(const ReportCard& card);

  /// Bytes so far, about.
  std::size_t size() const { return body_.size(); }
  /// The whole document.
  std::string text() const;

 private:
  void figures(const std::vector<std::string>& headers,
               const std::vector<std::vector<ReportCell>>& rows);

  std::string title_;
  std::string body_;
};

/// Text for the inside of HTML, control characters made visible.
std::string html_escaped(std::string_view text);

/// A number as people read it: up to four significant digits.
std::string readable(double value);

/// A share as "9.8 %".
std::string percent(double share);

}  // namespace pipelined
