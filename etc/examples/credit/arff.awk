# Turns an ARFF file into CSV: the names of its attributes become the header, rows stay as they are.
# A word in single or double quotes is quoted as CSV does it; `?`, no value, becomes nothing.
# Ends with 65, a halt, at a row that has not as many values as there are attributes, and at no rows.

function fail(sentence) {
  print FILENAME " line " FNR ": " sentence > "/dev/stderr"
  failed = 1
  exit 65
}

# The word at the front of `rest`, which it takes away; `quoted` says whether it stood in quotes.
function take_word(separators,    quote, at, word) {
  sub(/^[ \t]+/, "", rest)
  quote = substr(rest, 1, 1)
  quoted = quote == "'" || quote == "\""
  if (quoted) {
    word = ""
    for (at = 2; substr(rest, at, 1) != quote; ++at) {
      if (at > length(rest)) fail("a quote is not closed")
      if (substr(rest, at, 1) == "\\") ++at
      word = word substr(rest, at, 1)
    }
    rest = substr(rest, at + 1)
  } else {
    at = match(rest, separators) ? RSTART : length(rest) + 1
    word = substr(rest, 1, at - 1)
    sub(/[ \t]+$/, "", word)
    rest = substr(rest, at)
  }
  sub(/^[ \t]+/, "", rest)
  return word
}

function csv(word) {
  if (!quoted && word == "?") return ""
  if (!quoted && word !~ /[",]/) return word
  gsub(/"/, "\"\"", word)
  return "\"" word "\""
}

{ sub(/\r$/, "") }
/^[ \t]*(%|$)/ { next }

!in_data {
  rest = $0
  keyword = tolower(take_word("[ \t]"))
  if (keyword == "@attribute") {
    word = take_word("[ \t]")
    header = header (attributes++ ? "," : "") csv(word)
  } else if (keyword == "@data") {
    print header
    in_data = 1
  }
  next
}

{
  rest = $0
  line = ""
  for (values = 0; ; ++values) {
    word = take_word(",")
    line = line (values ? "," : "") csv(word)
    if (rest == "") { ++values; break }
    if (substr(rest, 1, 1) != ",") fail("'" rest "' stands behind a value")
    rest = substr(rest, 2)
  }
  if (values != attributes) fail(values " values, " attributes " expected")
  print line
  ++rows
}

END {
  if (!failed && !rows) fail("no rows")
  if (failed) exit 65
}
