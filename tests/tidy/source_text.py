"""What the rules need to know of C++ text: without comments and literals, includes, functions.

No parser: a scanner that keeps every line where it was.  Good enough for text that clang-format
would leave alone; self_test.py shows what it sees.
"""
import re

_TOKEN = re.compile(
    r'//[^\n]*'
    r'|/\*.*?\*/'
    r'|R"(?P<mark>[^()\s\\]{0,16})\(.*?\)(?P=mark)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'",
    re.DOTALL)


def without_comments_and_literals(text):
    """The same number of lines, with comments gone and literals empty."""
    def replace(match):
        token = match.group(0)
        lines = "\n" * token.count("\n")
        return lines if token.startswith("/") else '""' + lines
    return _TOKEN.sub(replace, text)


_RAW_STRING = re.compile(r'R"(?P<mark>[^()\s\\]{0,16})\(.*?\)(?P=mark)"', re.DOTALL)


def includes(text):
    """(line number, '"' or '<', path) of every include; what stands in a raw string is none."""
    text = _RAW_STRING.sub(lambda match: '""' + "\n" * match.group(0).count("\n"), text)
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line)
        if match:
            found.append((number, match.group(1), match.group(2)))
    return found


_NOT_A_FUNCTION = re.compile(
    r'(^|[^\w])(namespace|class|struct|union|enum|if|for|while|switch|catch|do|else|try|return|'
    r'requires)\b[^()]*$|^\s*(if|for|while|switch|catch|else|return|extern)\b')
_NAME = re.compile(r'([~\w]+(?:::[~\w]+)*|operator\s*[^\s(]+|operator\(\))\s*\(')


def _name_of(header):
    """The function's name if `header` (what stands before a brace) begins a function, else None."""
    header = re.sub(r'#(?:\\\n|[^\n])*', '', header).strip()
    if "(" not in header or ")" not in header:
        return None
    before = header[:header.index("(")]
    if re.search(r'(^|\s)(if|for|while|switch|catch|return|constexpr if)\s*$', before):
        return None
    if re.search(r'[=,]\s*$', before) or re.search(r'=\s*\[', header):
        return None  # an initialiser, or a lambda that is kept in a variable
    match = _NAME.search(header)
    return match.group(1) if match else None


def functions(text):
    """(name, first line, lines) of every function body that is not inside another one."""
    clean = without_comments_and_literals(text)
    found, open_braces = [], []  # each: name or None, line where its header begins
    start, line, header_line = 0, 1, None
    for at, char in enumerate(clean):
        if header_line is None and not char.isspace():
            header_line = line
        if char == "\n":
            line += 1
        elif char == "{":
            inside = any(name for name, _ in open_braces)
            name = None if inside else _name_of(clean[start:at])
            open_braces.append((name, header_line or line))
            start, header_line = at + 1, None
        elif char == "}":
            if open_braces:
                name, first = open_braces.pop()
                if name:
                    found.append((name, first, line - first + 1))
            start, header_line = at + 1, None
        elif char == ";":
            start, header_line = at + 1, None
    return found


def preface_lines(text):
    """Comment lines at the top of a file, before anything else."""
    count = 0
    for line in text.splitlines():
        if line.startswith("//"):
            count += 1
        elif line.strip():
            break
    return count
