#include "plugins/common/html_report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace pipelined {
namespace {

constexpr std::string_view style = R"(
:root{--ink:#1d2430;--soft:#5b6675;--line:#dde2e9;--page:#f6f7f9;--card:#fff;--before:#a9b6c8;
--now:#2f6fb5;--good:#1c7a46;--good-bg:#e4f4ea;--warning:#8a5a00;--warning-bg:#fdf1d8;
--bad:#a8201a;--bad-bg:#fbe5e3}
@media (prefers-color-scheme:dark){:root{--ink:#e6eaf0;--soft:#9aa6b6;--line:#333c49;--page:#14181e;
--card:#1c222b;--before:#5d6b7f;--now:#6aa9ec;--good:#7fd6a2;--good-bg:#163524;--warning:#f0c46a;
--warning-bg:#3a2e12;--bad:#ff9a92;--bad-bg:#431b1a}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:64rem;margin:0 auto;padding:2rem 1.25rem 4rem}
h1{font-size:1.6rem;margin:0;overflow-wrap:anywhere}h2{font-size:1.1rem;margin:2.2rem 0 .6rem}
p{margin:.4rem 0}.sub{color:var(--soft);margin:.2rem 0 1.2rem}
.verdict{border-left:5px solid;border-radius:6px;padding:.8rem 1.1rem;margin:0 0 .6rem}
.verdict b{text-transform:uppercase;letter-spacing:.04em;font-size:.85rem;display:block}
.good{color:var(--good)}.warning{color:var(--warning)}.bad{color:var(--bad)}
.verdict.good{background:var(--good-bg)}.verdict.warning{background:var(--warning-bg)}
.verdict.bad{background:var(--bad-bg)}.verdict.neutral{background:var(--card)}
.verdict span{color:var(--ink)}
.scroll{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:8px}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.42rem .8rem;border-bottom:1px solid var(--line);vertical-align:top}
tr:last-child td{border-bottom:0}
th{color:var(--soft);font-weight:600;font-size:.85rem;white-space:nowrap}
td.number,th.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.bad,td.warning,td.good{font-weight:600}
figure{margin:.8rem 0;background:var(--card);border:1px solid var(--line);border-radius:8px;
padding:.9rem 1.1rem}
figcaption{font-weight:600;margin-bottom:.5rem}
.key{color:var(--soft);font-weight:400;font-size:.85rem;margin-left:.8rem}
.key i{display:inline-block;width:.75em;height:.75em;border-radius:2px;margin:0 .35em 0 .6em}
.bar{display:grid;grid-template-columns:minmax(6rem,14rem) 1fr 4.5rem;gap:.1rem .8rem;
align-items:center;margin:.45rem 0}
.bar .name{grid-row:span 2;overflow-wrap:anywhere}
.bar .track{height:.7rem}.bar .fill{height:100%;border-radius:0 3px 3px 0;min-width:1px}
.bar .value{font-size:.8rem;color:var(--soft);text-align:right;line-height:1;
font-variant-numeric:tabular-nums}
.before{background:var(--before)}.now{background:var(--now)}
.card{display:flow-root}.card figcaption{display:flex;flex-wrap:wrap;gap:.2rem .7rem;align-items:baseline}
.card figcaption b{overflow-wrap:anywhere}.card .kind{color:var(--soft);font-weight:400;font-size:.85rem}
.card .remark{font-weight:400;font-size:.9rem;margin-left:auto;overflow-wrap:anywhere}
.card .problem{font-size:.9rem;margin:.1rem 0;overflow-wrap:anywhere}
.sides{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1.25fr);gap:.6rem 1.6rem}
@media (max-width:46rem){.sides{grid-template-columns:minmax(0,1fr)}}
.sides table{font-size:.88rem}.sides th,.sides td{padding:.14rem .4rem}
.sides td:first-child{color:var(--soft);padding-left:0}.sides td.number{white-space:normal;overflow-wrap:anywhere}
.sides .bar{grid-template-columns:minmax(4rem,10rem) 1fr 4rem;font-size:.85rem;margin:.22rem 0}
.bar.one .name{grid-row:span 1}.barstitle{color:var(--soft);font-size:.8rem;margin:.5rem 0 .1rem}
svg{display:block;width:100%;max-width:26rem;height:auto;font:11px system-ui,"DejaVu Sans",sans-serif}
svg .before{fill:var(--before)}svg .now{fill:var(--now);fill-opacity:.72}svg text{fill:var(--soft)}
svg text.end{text-anchor:end}svg .axis{stroke:var(--line);fill:none}
svg .tick{fill:none;stroke-width:1.6}svg .tick.before{stroke:var(--before)}svg .tick.now{stroke:var(--now)}
@media print{body{background:#fff}main{max-width:none;padding:0}.scroll,figure{break-inside:avoid}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
)";

}  // namespace

std::string html_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? '?' : c;
    }
  }
  return out;
}

namespace {

const char* name_of(Tone tone) {
  switch (tone) {
    case Tone::neutral: return "neutral";
    case Tone::good: return "good";
    case Tone::warning: return "warning";
    case Tone::bad: return "bad";
  }
  return "neutral";
}

std::string half_bar(const char* side, double share, double scale) {
  char width[32];
  std::snprintf(width, sizeof width, "%.2f", scale > 0 ? 100 * share / scale : 0);
  return std::string("<div class=\"track\"><div class=\"fill ") + side + "\" style=\"width:" +
         width + "%\"></div></div><div class=\"value\">" + percent(share) + "</div>";
}

}  // namespace

HtmlReport::HtmlReport(std::string_view title, std::string_view subtitle) : title_(title) {
  body_ = "<h1>" + html_escaped(title) + "</h1>\n<p class=\"sub\">" + html_escaped(subtitle) + "</p>\n";
}

void HtmlReport::verdict(Tone tone, std::string_view word, std::string_view sentence) {
  body_ += std::string("<div class=\"verdict ") + name_of(tone) + "\"><b>" + html_escaped(word) +
           "</b><span>" + html_escaped(sentence) + "</span></div>\n";
}

void HtmlReport::heading(std::string_view text) { body_ += "<h2>" + html_escaped(text) + "</h2>\n"; }
void HtmlReport::paragraph(std::string_view text) { body_ += "<p>" + html_escaped(text) + "</p>\n"; }

void HtmlReport::table(const std::vector<std::string>& headers,
                       const std::vector<std::vector<ReportCell>>& rows) {
  body_ += "<div class=\"scroll\">";
  figures(headers, rows);
  body_ += "</div>\n";
}

void HtmlReport::figures(const std::vector<std::string>& headers,
                         const std::vector<std::vector<ReportCell>>& rows) {
  body_ += "<table><thead><tr>";
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const bool number = !rows.empty() && rows.front()[i].number;
    body_ += std::string(number ? "<th class=\"number\">" : "<th>") + html_escaped(headers[i]) + "</th>";
  }
  body_ += "</tr></thead><tbody>\n";
  for (const auto& row : rows) {
    body_ += "<tr>";
    for (const ReportCell& cell : row) {
      body_ += std::string("<td class=\"") + name_of(cell.tone) + (cell.number ? " number" : "") +
               "\">" + html_escaped(cell.text) + "</td>";
    }
    body_ += "</tr>\n";
  }
  body_ += "</tbody></table>\n";
}

void HtmlReport::bars(std::string_view title, std::string_view before, std::string_view now,
                      const std::vector<ReportBar>& values) {
  double scale = 0;
  for (const ReportBar& bar : values) scale = std::max({scale, bar.before, bar.now});
  body_ += "<figure><figcaption>" + html_escaped(title) + "<span class=\"key\"><i class=\"before\"></i>" +
           html_escaped(before) + "<i class=\"now\"></i>" + html_escaped(now) + "</span></figcaption>\n";
  for (const ReportBar& bar : values) {
    body_ += "<div class=\"bar\"><div class=\"name\">" + html_escaped(bar.label) + "</div>" +
             half_bar("before", bar.before, scale) + half_bar("now", bar.now, scale) + "</div>\n";
  }
  body_ += "</figure>\n";
}

void HtmlReport::key(std::string_view before, std::string_view now) {
  body_ += "<p class=\"key\"><i class=\"before\"></i>" + html_escaped(before) +
           "<i class=\"now\"></i>" + html_escaped(now) + "</p>\n";
}

void HtmlReport::card(const ReportCard& card) {
  body_ += "<figure class=\"card\"><figcaption><b>" + html_escaped(card.title) +
           "</b><span class=\"kind\">" + html_escaped(card.kind) + "</span>";
  if (!card.remark.empty()) {
    body_ += std::string("<span class=\"remark ") + name_of(card.tone) + "\">" +
             html_escaped(card.remark) + "</span>";
  }
  body_ += "</figcaption>\n";
  for (const std::string& problem : card.problems) {
    body_ += std::string("<p class=\"problem ") + name_of(card.tone) + "\">" +
             html_escaped(problem) + "</p>\n";
  }
  body_ += "<div class=\"sides\"><div>";
  figures(card.headers, card.figures);
  body_ += "</div><div>" + card.drawing;
  if (!card.bars.empty()) body_ += "<p class=\"barstitle\">" + html_escaped(card.bars_title) + "</p>";
  double scale = 0;
  for (const ReportBar& bar : card.bars) scale = std::max({scale, bar.before, bar.now});
  for (const ReportBar& bar : card.bars) {
    body_ += std::string("<div class=\"bar") + (card.two_sides ? "" : " one") +
             "\"><div class=\"name\">" + html_escaped(bar.label) + "</div>";
    if (card.two_sides) body_ += half_bar("before", bar.before, scale);
    body_ += half_bar("now", bar.now, scale) + "</div>\n";
  }
  body_ += "</div></div></figure>\n";
}

std::string HtmlReport::text() const {
  return "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
         "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>" +
         html_escaped(title_) + "</title><style>" + std::string(style) + "</style></head><body><main>\n" +
         body_ + "</main></body></html>\n";
}

std::string readable(double value) {
  char text[48];
  const bool whole = value == std::floor(value) && std::abs(value) < 1e15;
  std::snprintf(text, sizeof text, whole ? "%.0f" : "%.4g", value);
  return text;
}

std::string percent(double share) {
  char text[48];
  std::snprintf(text, sizeof text, "%.1f %%", 100 * share);
  return text;
}

}  // namespace pipelined
