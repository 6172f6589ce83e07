#!/usr/bin/env python3
"""Runs what the documentation says.

usage: run_docs.py --build BUILD [--root ROOT] [FILE...]

Every fenced block of the documents is used for what its info string says, and a block that says
nothing fails, so that none goes unchecked:

  sh                 is run; all blocks of a document in order, in one shell (see session.py)
  sh not-run         is not; but the files, presets and verbs that it names must be there
  output             is what the sh block before it printed, on stdout and stderr together
  console            commands behind `$ `, each with what it prints
  toml, json, python must parse
  toml pipeline      must pass `pipectl check`
  toml file=NAME     is written to NAME for the blocks that follow (with `pipeline` it is checked too)
  cpp                statements that must compile behind the .cc file that an sh block wrote
  text picture       a drawing or a transcript of what cannot be repeated: at most 100 columns

A command ends with status 0 unless its line says `# exits with N`.  In outputs `…` stands for
anything within a line, a line of `…` for any number of lines, and blanks count once.

Beside the blocks, links must lead somewhere, and files that are named in backticks must exist.
Prints FILE:LINE of everything that is wrong and ends with 1 if there is anything.
"""
import argparse
import ast
import difflib
import glob
import json
import os
import re
import subprocess
import sys
import time
import tomllib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import markdown  # noqa: E402
import session  # noqa: E402

LINES_MAX = {"README.md": 200, "ARCHITECTURE.md": 250, "HACKING.md": 150, "STYLE.md": 100}
ROOMS = ("bench", "cli", "cmake", "daemon", "dag", "docs", "etc", "model", "operators", "plugins",
         "tests", "tools")
BLOCK_SECONDS_MAX = 120


class Checker:
    """One document at a time; problems are kept as lines to print."""

    def __init__(self, root, build):
        self.root, self.build = root, build
        self.problems = []
        self.used = 0  # blocks that were run, compared or parsed
        self.shell = None
        self.printed = None  # what the last sh block printed
        self.source = None  # the .cc file that a block wrote
        self.names = self._file_names()

    def _file_names(self):
        listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=self.root,
                                capture_output=True, text=True)
        if listed.returncode == 0:
            return {os.path.basename(name) for name in listed.stdout.splitlines()}
        return {name for _, _, files in os.walk(self.root) for name in files}

    def wrong(self, place, sentence):
        self.problems.append(f"{place}: {sentence}")

    def check(self, path):
        with open(os.path.join(self.root, path), encoding="utf-8") as file:
            text = file.read()
        lines_max = LINES_MAX.get(path)
        if lines_max and text.count("\n") > lines_max:
            self.wrong(path, f"has {text.count(chr(10))} lines, more than {lines_max}")
        self.check_names(path, text)
        try:
            blocks = markdown.read_blocks(path, text)
        except markdown.Unclosed as error:
            self.problems.append(str(error))
            return
        self.shell = self.printed = self.source = None
        try:
            for block in blocks:
                if not self.check_block(block):
                    break
        finally:
            if self.shell:
                self.shell.close()

    def check_names(self, path, text):
        folder = os.path.dirname(os.path.join(self.root, path))
        for line, target in markdown.links(text):
            if target and not os.path.exists(os.path.join(folder, target)):
                self.wrong(f"{path}:{line}", f"the link leads to {target}, which is not there")
        for line, word in markdown.quoted(text):
            if re.fullmatch(rf"({'|'.join(ROOMS)})/[\w./*{{}},+-]*", word):
                for name in expand_braces(word):
                    path = os.path.join(self.root, name)
                    if not glob.glob(path) and not glob.glob(path + ".*"):
                        self.wrong(f"{path}:{line}", f"there is no {name}")
            elif re.fullmatch(r"[\w-]+\.(cc|h)", word) and word not in self.names:
                self.wrong(f"{path}:{line}", f"there is no file {word}")

    def check_block(self, block):
        """False: what follows in this document makes no sense any more."""
        use = getattr(self, "use_" + block.language, None) if block.language else None
        known = {"sh": {"not-run"}, "toml": {"pipeline", "file"}, "text": {"picture", "output"}}
        for mark in block.marks:
            if mark.partition("=")[0] not in known.get(block.language, set()):
                use = None
        if use is None:
            info = " ".join([block.language, *block.marks]).strip()
            self.wrong(block.place(), f"nothing is known of blocks '{info}' (see run_docs.py)")
            return True
        self.used += 1
        return use(block) is not False

    # Shell.

    def use_sh(self, block):
        if block.mark("not-run") is not None:
            return self.look_at_commands(block)
        for line in block.lines:
            written = re.search(r"> *(\S+\.cc)\b", line)
            if written:
                self.source = written.group(1)
        return self.run(block, block.lines, block.line + 1)

    def use_console(self, block):
        command, first, expected = [], 0, []
        for offset, line in enumerate([*block.lines, "$ "], 1):
            if line.startswith("> ") and command and not expected:
                command.append(line[2:])
            elif line.startswith("$ "):
                if command and self.run(block, command, first) is False:
                    return False
                if command:
                    self.compare(block, expected, self.printed)
                command, first, expected = [line[2:]], block.line + offset, []
            elif not command:
                self.wrong(block.place(offset), "a console block begins with `$ ` and a command")
                return False
            else:
                expected.append(line)
        return True

    def run(self, block, lines, first_line):
        if self.shell is None:
            self.shell = session.Session(self.root, self.build, BLOCK_SECONDS_MAX)
        expected = {}
        for number, line in enumerate(lines, first_line):
            status = re.search(r"# exits with (\d+)", line)
            if status:
                expected[number] = int(status.group(1))
        try:
            self.printed, failures = self.shell.run(lines, first_line)
        except session.Ended as error:
            self.wrong(block.place(), str(error) + "; it printed:\n" + indented(self.shell.printed))
            return False
        for number in sorted(set(failures) | set(expected)):
            got, wanted = failures.get(number, 0), expected.get(number, 0)
            if got != wanted:
                self.wrong(f"{block.path}:{number}", f"exit status {got} instead of {wanted}; the "
                           "block printed:\n" + indented(self.printed))
                return False
        return True

    def use_output(self, block):
        if self.printed is None:
            self.wrong(block.place(), "no command stands before this output")
            return False
        self.compare(block, block.lines, self.printed)
        return True

    def compare(self, block, expected, printed):
        if markdown.matches(expected, printed):
            return
        difference = difflib.unified_diff(expected, printed, "documented", "printed", lineterm="")
        self.wrong(block.place(), "the output differs:\n" + indented(difference))

    def look_at_commands(self, block):
        for offset, line in enumerate(block.lines, 1):
            command = line.split(" #")[0]
            for name in re.findall(rf"(?<![\w/.])(?:{'|'.join(ROOMS)})/[\w./-]+", command):
                if not os.path.exists(os.path.join(self.root, name)):
                    self.wrong(block.place(offset), f"there is no {name}")
            for name in re.findall(r"(?<![\w/.])build/[a-z]+/bin/([\w-]+)", command):
                if not os.path.exists(os.path.join(self.build, "bin", name)):
                    self.wrong(block.place(offset), f"the build makes no bin/{name}")
            for name in re.findall(r"--preset[ =]([\w-]+)", command):
                if name not in self.presets():
                    self.wrong(block.place(offset), f"there is no preset {name}")
            verb = re.match(r"^\s*(?:\$ )?pipectl ([a-z][a-z ]*[a-z])", command)
            if verb and not self.is_verb(verb.group(1).split()):
                self.wrong(block.place(offset), f"pipectl has no verb '{verb.group(1).split()[0]}'")

    def presets(self):
        with open(os.path.join(self.root, "CMakePresets.json"), encoding="utf-8") as file:
            return {preset["name"] for preset in json.load(file)["configurePresets"]}

    def is_verb(self, words):
        pipectl = os.path.join(self.build, "bin", "pipectl")
        return subprocess.run([pipectl, words[0], "--help"], capture_output=True).returncode == 0

    # Text that must be well formed.

    def use_toml(self, block):
        try:
            tomllib.loads(block.text)
        except tomllib.TOMLDecodeError as error:
            self.wrong(block.place(), f"is no TOML: {error}")
            return True
        name = block.mark("file")
        if name is not None:
            if self.run(block, ["mkdir -p \"$(dirname " + name + ")\"", f"cat > {name} <<'END_OF_FILE'",
                                *block.lines, "END_OF_FILE"], block.line) is False:
                return False
            self.printed = None
        if block.mark("pipeline") is not None:
            return self.check_pipeline(block)
        return True

    def check_pipeline(self, block):
        if self.shell is None:
            self.shell = session.Session(self.root, self.build, BLOCK_SECONDS_MAX)
        name = block.mark("file")
        path = os.path.join(self.shell.tree, name or "pipeline-of-a-document.toml")
        if name is None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(block.text)
        checked = subprocess.run([os.path.join(self.build, "bin", "pipectl"), "check", path],
                                 capture_output=True, text=True,
                                 env={"PATH": os.environ.get("PATH", ""), "HOME": self.shell.folder})
        if checked.returncode != 0:
            self.wrong(block.place(), "pipectl check finds:\n" +
                       indented((checked.stdout + checked.stderr).splitlines()))

    def use_json(self, block):
        try:
            json.loads(block.text)
        except json.JSONDecodeError as error:
            self.wrong(block.place(error.lineno), f"is no JSON: {error.msg}")

    def use_python(self, block):
        try:
            ast.parse(block.text)
        except SyntaxError as error:
            self.wrong(block.place(error.lineno or 0), f"is no Python: {error.msg}")

    def use_cpp(self, block):
        if self.source is None:
            self.wrong(block.place(), "no sh block before it writes a .cc file")
            return
        text = ('#include "operators/testing/fake_context.h"\n'
                f'#include "{self.source}"\n'
                "#define CHECK(condition) static_cast<void>(condition)\n"
                "using namespace pipelined;\nusing namespace pipelined::testing;\n"
                "[[maybe_unused]] static void documented() {\n"
                f'#line {block.line + 1} "{block.path}"\n{block.text}}}\n')
        compiled = subprocess.run(
            ["g++", "-std=c++20", "-fsyntax-only", "-I", self.root, "-I", self.shell.tree, "-x", "c++",
             "-"], input=text, capture_output=True, text=True)
        if compiled.returncode != 0:
            self.wrong(block.place(), "does not compile:\n" + indented(compiled.stderr.splitlines()))

    def use_text(self, block):
        if block.mark("output") is not None:
            return self.use_output(block)
        if block.mark("picture") is None:
            self.wrong(block.place(), "say `text picture` if it is nothing that can be checked")
        for offset, line in enumerate(block.lines, 1):
            if len(line) > 100:
                self.wrong(block.place(offset), "is wider than 100 columns")
        return True


def indented(lines):
    return "\n".join("    " + line for line in lines)


def expand_braces(word):
    """a/{b,c}.h → a/b.h, a/c.h."""
    inner = re.search(r"\{([^{}]*)\}", word)
    if not inner:
        return [word]
    return [name for part in inner.group(1).split(",")
            for name in expand_braces(word[:inner.start()] + part + word[inner.end():])]


def documents(root):
    """The documents that are checked when none is named: those of the root and of docs/."""
    found = glob.glob(os.path.join(root, "*.md")) + glob.glob(os.path.join(root, "docs", "*.md"))
    return sorted(os.path.relpath(path, root) for path in found)


def main():
    parser = argparse.ArgumentParser(description="Runs what the documentation says.")
    parser.add_argument("--build", required=True, help="a build folder with its programs in bin/")
    parser.add_argument("--root", default=os.path.dirname(os.path.dirname(os.path.dirname(
        os.path.abspath(__file__)))), help="the source tree")
    parser.add_argument("files", nargs="*", help="documents relative to the root; all if left out")
    arguments = parser.parse_args()
    root, build = os.path.abspath(arguments.root), os.path.abspath(arguments.build)
    checker = Checker(root, build)
    for path in arguments.files or documents(root):
        before, used, begun = len(checker.problems), checker.used, time.monotonic()
        checker.check(path)
        verdict = "ok" if len(checker.problems) == before else "WRONG"
        print(f"{path}: {verdict}, {checker.used - used} blocks, {time.monotonic() - begun:.1f} s",
              flush=True)
    for problem in checker.problems:
        print(problem)
    if checker.used == 0:
        print("no block was checked")
    return 1 if checker.problems or checker.used == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
