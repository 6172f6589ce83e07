#include "dag/text_diff.h"

#include <algorithm>
#include <vector>

namespace pipelined {
namespace {

using Lines = std::vector<std::string_view>;

/// With their ends, so that a last line without one is another line than with it.
Lines lines_of(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::size_t size = end == std::string_view::npos ? text.size() : end + 1;
    lines.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return lines;
}

/// One line of the way from the first text to the second.
struct Edit {
  char kind = ' ';           ///< ' ' stays, '-' goes, '+' comes
  std::size_t before = 0;    ///< lines of the first text in front of it
  std::size_t after = 0;     ///< lines of the second in front of it
};

/// Furthest ends of paths with 0, 1, 2 … edits, as Myers, "An O(ND) difference algorithm and its
/// variations" (1986).  Row d has the diagonals -d to d.
class Paths {
 public:
  Paths(const Lines& before, const Lines& after, std::size_t from, std::size_t before_end,
        std::size_t after_end)
      : before_(before), after_(after), from_(from),
        rows_(static_cast<std::ptrdiff_t>(before_end - from)),
        columns_(static_cast<std::ptrdiff_t>(after_end - from)) {}

  /// The edits from front to back; nothing if more than `most` would be needed.
  std::vector<Edit> find(std::ptrdiff_t most) {
    for (std::ptrdiff_t d = 0; d <= std::min(most, rows_ + columns_); ++d) {
      ends_.emplace_back(static_cast<std::size_t>(2 * d + 1));
      for (std::ptrdiff_t k = -d; k <= d; k += 2) {
        std::ptrdiff_t x = d == 0 ? 0 : step(d, k);
        while (x < rows_ && x - k < columns_ && alike(x, x - k)) ++x;
        at(d, k) = x;
        if (x >= rows_ && x - k >= columns_) return walk_back(d);
      }
    }
    return {};
  }

 private:
  bool alike(std::ptrdiff_t x, std::ptrdiff_t y) const {
    return before_[from_ + static_cast<std::size_t>(x)] ==
           after_[from_ + static_cast<std::size_t>(y)];
  }
  std::ptrdiff_t& at(std::ptrdiff_t d, std::ptrdiff_t k) {
    return ends_[static_cast<std::size_t>(d)][static_cast<std::size_t>(k + d)];
  }
  bool comes_from_above(std::ptrdiff_t d, std::ptrdiff_t k) {
    return k == -d || (k != d && at(d - 1, k - 1) < at(d - 1, k + 1));
  }
  std::ptrdiff_t step(std::ptrdiff_t d, std::ptrdiff_t k) {
    return comes_from_above(d, k) ? at(d - 1, k + 1) : at(d - 1, k - 1) + 1;
  }
  std::vector<Edit> walk_back(std::ptrdiff_t d) {
    std::vector<Edit> edits;
    std::ptrdiff_t x = rows_, y = columns_;
    const auto add = [&](char kind) {
      edits.push_back({kind, from_ + static_cast<std::size_t>(x), from_ + static_cast<std::size_t>(y)});
    };
    for (; d > 0; --d) {
      const std::ptrdiff_t k = x - y;
      const bool down = comes_from_above(d, k);
      const std::ptrdiff_t start = step(d, k);
      while (x > start) --x, --y, add(' ');
      down ? --y : --x;
      add(down ? '+' : '-');
    }
    while (x > 0) --x, --y, add(' ');
    std::reverse(edits.begin(), edits.end());
    return edits;
  }

  const Lines& before_;
  const Lines& after_;
  std::size_t from_;
  std::ptrdiff_t rows_, columns_;
  std::vector<std::vector<std::ptrdiff_t>> ends_;
};

std::vector<Edit> edits_of(const Lines& before, const Lines& after) {
  std::size_t front = 0, before_end = before.size(), after_end = after.size();
  while (front < before_end && front < after_end && before[front] == after[front]) ++front;
  while (before_end > front && after_end > front && before[before_end - 1] == after[after_end - 1]) {
    --before_end, --after_end;
  }
  std::vector<Edit> edits;
  for (std::size_t i = 0; i < front; ++i) edits.push_back({' ', i, i});
  std::vector<Edit> middle = Paths(before, after, front, before_end, after_end)
                                 .find(static_cast<std::ptrdiff_t>(text_diff_edits_max));
  if (middle.empty()) {
    for (std::size_t i = front; i < before_end; ++i) middle.push_back({'-', i, front});
    for (std::size_t i = front; i < after_end; ++i) middle.push_back({'+', before_end, i});
  }
  edits.insert(edits.end(), middle.begin(), middle.end());
  for (std::size_t i = before_end; i < before.size(); ++i) {
    edits.push_back({' ', i, after_end + (i - before_end)});
  }
  return edits;
}

/// "3,2": as `diff -u` writes it, one line without its count and none after the line before.
std::string range_text(std::size_t start, std::size_t count) {
  if (count == 1) return std::to_string(start + 1);
  return std::to_string(count == 0 ? start : start + 1) + "," + std::to_string(count);
}

void write_hunk(std::string& out, const Lines& before, const Lines& after,
                const std::vector<Edit>& edits, std::size_t first, std::size_t end) {
  std::size_t old_lines = 0, new_lines = 0;
  for (std::size_t i = first; i < end; ++i) {
    old_lines += edits[i].kind != '+' ? 1 : 0;
    new_lines += edits[i].kind != '-' ? 1 : 0;
  }
  out += "@@ -" + range_text(edits[first].before, old_lines) + " +" +
         range_text(edits[first].after, new_lines) + " @@\n";
  for (std::size_t i = first; i < end; ++i) {
    const std::string_view line =
        edits[i].kind == '+' ? after[edits[i].after] : before[edits[i].before];
    out += edits[i].kind;
    out += line;
    if (line.back() != '\n') out += "\n\\ No newline at end of file\n";
  }
}

}  // namespace

std::string text_diff(std::string_view before_text, std::string_view after_text,
                      std::size_t context) {
  if (before_text == after_text) return {};
  const Lines before = lines_of(before_text), after = lines_of(after_text);
  const std::vector<Edit> edits = edits_of(before, after);
  std::string out;
  std::size_t first = edits.size(), end = 0;  // of the hunk that is being gathered
  for (std::size_t i = 0; i < edits.size(); ++i) {
    if (edits[i].kind == ' ') continue;
    const std::size_t from = i > context ? i - context : 0;
    if (first != edits.size() && from > end) {
      write_hunk(out, before, after, edits, first, end);
      first = edits.size();
    }
    if (first == edits.size()) first = from;
    end = std::min(edits.size(), i + context + 1);
  }
  if (first != edits.size()) write_hunk(out, before, after, edits, first, end);
  return out;
}

}  // namespace pipelined
