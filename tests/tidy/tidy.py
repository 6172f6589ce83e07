#!/usr/bin/env python3
"""Checks the rules of this tree.

    tidy.py RULE…              rules of text: includes cycles functions shapes words
    tidy.py symbols LIBRARY    the engine's library asks nothing of the world (nm)
"""
import pathlib
import subprocess
import sys

import rules

CODE = (".h", ".cc", ".c")
NOT_TEXT = (".png", ".parquet", ".bin", ".ubj", ".gz", ".lock", ".golden")


class Tree:
    """The files of the tree: those that git knows or would add, else all outside of build folders."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self._cache = {}
        self._names = sorted(self._list())
        self._set = set(self._names)

    def _list(self):
        asked = subprocess.run(
            ["git", "-C", str(self.root), "ls-files", "-co", "--exclude-standard"],
            capture_output=True, text=True, check=False)
        if asked.returncode == 0 and asked.stdout:
            names = asked.stdout.splitlines()
        else:
            names = [str(path.relative_to(self.root)) for path in self.root.rglob("*")]
            names = [name for name in names
                     if not name.startswith(("build/", ".deps/", ".git/")) and "/__pycache__/" not in name]
        return [name for name in names if (self.root / name).is_file()]

    def code(self):
        return [name for name in self._names if name.endswith(CODE)]

    def texts(self):
        return [name for name in self._names if not name.endswith(NOT_TEXT)]

    def has(self, name):
        return name in self._set

    def text(self, name):
        if name not in self._cache:
            try:
                self._cache[name] = (self.root / name).read_text(encoding="utf-8", errors="replace")
            except FileNotFoundError:  # renamed while we look
                self._cache[name] = ""
        return self._cache[name]


def undefined_symbols(library):
    asked = subprocess.run(["nm", "-uC", library], capture_output=True, text=True, check=True)
    return {line.split(None, 1)[1] for line in asked.stdout.splitlines()
            if line.strip()[:2] in ("U ", "w ", "v ")}


def main(arguments):
    if len(arguments) == 2 and arguments[0] == "symbols":
        found = undefined_symbols(arguments[1])
        if not found:
            print(f"{arguments[1]} has no undefined symbol: nothing was looked at")
            return 1
        denied = rules.denied_symbols(found)
        for name in denied:
            print(f"{arguments[1]}: asks for {name}, which the engine must not")
        return 1 if denied else 0
    if not arguments or any(name not in rules.RULES for name in arguments):
        print(__doc__, file=sys.stderr)
        return 2
    tree = Tree(pathlib.Path(__file__).resolve().parents[2])
    if not tree.code():
        print("no source was found: nothing was looked at")
        return 1
    problems = [problem for name in arguments for problem in rules.RULES[name](tree)]
    for problem in problems:
        print(f"{problem.path}:{problem.line}: {problem.sentence}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
