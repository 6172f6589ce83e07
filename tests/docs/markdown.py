"""Takes Markdown apart as far as the test of the documentation needs it.

Knows fences, links and words in backticks, with their lines; runs nothing.
"""
import re
from dataclasses import dataclass, field


@dataclass
class Block:
    """A fenced block: its info string's words, its lines, and where it stands."""

    path: str
    line: int  # of the opening fence, from 1
    language: str
    marks: list = field(default_factory=list)
    lines: list = field(default_factory=list)

    @property
    def text(self):
        return "\n".join(self.lines) + "\n"

    def mark(self, name):
        """The value of `name=value` among the marks, "" for a bare `name`, None without it."""
        for mark in self.marks:
            key, _, value = mark.partition("=")
            if key == name:
                return value
        return None

    def place(self, offset=0):
        """FILE:LINE of a line of the block, counted from 1; 0 is the fence."""
        return f"{self.path}:{self.line + offset}"


class Unclosed(Exception):
    """A fence that is never closed."""


def read_blocks(path, text):
    """Every fenced block of a document, in order."""
    blocks, block, fence = [], None, ""
    for number, line in enumerate(text.splitlines(), 1):
        opening = re.match(r"^(\s*)(`{3,}|~{3,})\s*(.*)$", line)
        if block is None and opening:
            words = opening.group(3).split()
            block = Block(path, number, words[0] if words else "", words[1:])
            fence = opening.group(2)
        elif block is not None and line.strip() == fence:
            blocks.append(block)
            block = None
        elif block is not None:
            block.lines.append(line)
    if block is not None:
        raise Unclosed(f"{block.place()}: this block is never closed")
    return blocks


def outside_blocks(text):
    """(line number, line) of everything that is in no fenced block."""
    fence = ""
    for number, line in enumerate(text.splitlines(), 1):
        opening = re.match(r"^\s*(`{3,}|~{3,})", line)
        if not fence and opening:
            fence = opening.group(1)
        elif fence:
            if line.strip() == fence:
                fence = ""
        else:
            yield number, line


def links(text):
    """(line, target) of every link that leads to a file here."""
    for number, line in outside_blocks(text):
        for target in re.findall(r"\]\(([^)\s]+)\)", line):
            if not re.match(r"[a-z]+:|#", target):
                yield number, target.partition("#")[0]


def quoted(text):
    """(line, word) of everything in single backticks."""
    for number, line in outside_blocks(text):
        for word in re.findall(r"`([^`]+)`", line):
            yield number, word


def matches(expected, printed):
    """Whether what was printed is what was expected.

    `…` in a line stands for anything in it, a line of nothing but `…` for any number of lines.
    Runs of blanks count as one, because columns of tables move with what stands in them.
    """
    pattern = ""
    for line in expected:
        words = " ".join(line.split())
        if words == "…":
            pattern += r"(?:[^\n]*\n)*?"
        else:
            pattern += r"[^\n]*".join(re.escape(part) for part in words.split("…")) + r"\n"
    text = "".join(" ".join(line.split()) + "\n" for line in printed)
    return re.fullmatch(pattern, text) is not None
