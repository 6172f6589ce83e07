#!/usr/bin/env python3
"""The test of the documentation, tested: what it must accept and what it must find.

Each case is a small document in a tree of its own, checked by the real run_docs.py.
"""
import os
import subprocess
import sys
import tempfile
import unittest

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "run_docs.py")
FENCE = "```"


def block(info, *lines):
    return "\n".join([FENCE + info, *lines, FENCE]) + "\n"


class RunDocs(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="run-docs-")
        self.root = os.path.join(self.folder.name, "tree")
        self.bin = os.path.join(self.folder.name, "build", "bin")
        os.makedirs(os.path.join(self.root, "tools"))
        os.makedirs(self.bin)
        with open(os.path.join(self.root, "tools", "there"), "w", encoding="utf-8") as file:
            file.write("echo there\n")
        with open(os.path.join(self.bin, "pipectl"), "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\ncase $1 in check) grep -q good $2;; show) exit 0;; *) exit 2;; esac\n")
        os.chmod(file.name, 0o755)

    def tearDown(self):
        self.folder.cleanup()

    def check(self, *parts, name="doc.md"):
        """The exit status and everything printed for a document of these parts."""
        with open(os.path.join(self.root, name), "w", encoding="utf-8") as file:
            file.write("\n".join(parts))
        done = subprocess.run([sys.executable, SCRIPT, "--root", self.root, "--build",
                               os.path.dirname(self.bin), name], capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def accepts(self, *parts, **options):
        status, printed = self.check(*parts, **options)
        self.assertEqual(status, 0, printed)

    def finds(self, what, *parts, **options):
        status, printed = self.check(*parts, **options)
        self.assertEqual(status, 1, printed)
        self.assertIn(what, printed)

    def test_blocks_of_a_document_share_one_shell(self):
        self.accepts(block("sh", "cd tools", "word=$(sh there)"), block("sh", "echo $word; pwd"),
                     block("output", "there", "…/tools"))

    def test_a_failing_command_is_found_with_its_line(self):
        self.finds("doc.md:3: exit status 1 instead of 0", block("sh", "true", "false", "true"))

    def test_a_command_may_announce_its_status(self):
        self.accepts(block("sh", "(exit 3)  # exits with 3"))
        self.finds("exit status 0 instead of 3", block("sh", "true  # exits with 3"))

    def test_output_is_compared(self):
        self.finds("doc.md:5: the output differs", block("sh", "echo three words here"),
                   block("output", "two words"))
        self.accepts(block("sh", "printf 'a  b\\n1\\n2\\nlast 0.3 s\\n'"),
                     block("output", "a b", "…", "last … s"))

    def test_console_blocks_compare_each_command(self):
        self.accepts(block("console", "$ echo one", "one", "$ true", "$ echo two", "two"))
        self.finds("the output differs", block("console", "$ echo one", "$ echo two", "two"))

    def test_a_block_of_unknown_kind_is_found(self):
        self.finds("nothing is known of blocks 'ruby'", block("ruby", "puts 1"))
        self.finds("nothing is known of blocks ''", block("", "anything"))
        self.finds("nothing is known of blocks 'sh later'", block("sh later", "true"))

    def test_commands_that_are_not_run_name_real_things(self):
        self.accepts(block("sh not-run", "tools/there --all", "pipectl show last"),
                     block("sh", "true"))
        self.finds("there is no tools/gone", block("sh not-run", "tools/gone"))
        self.finds("no verb 'dance'", block("sh not-run", "pipectl dance now"))

    def test_toml_and_json_are_parsed(self):
        self.accepts(block("toml", "a = 1"), block("json", '{"a": "…"}'))
        self.finds("is no TOML", block("toml", "a = "))
        self.finds("is no JSON", block("json", "{"))

    def test_a_pipeline_is_checked_and_can_be_written_to_a_file(self):
        self.accepts(block("toml pipeline file=my/pipeline.toml", 'name = "good"'),
                     block("sh", "cat my/pipeline.toml"), block("output", 'name = "good"'))
        self.finds("pipectl check finds", block("toml pipeline", 'name = "bad"'))

    def test_a_block_that_hangs_up_the_shell_is_found(self):
        self.finds("the shell has ended", block("sh", "exit 0"))

    def test_links_and_names_of_files_lead_somewhere(self):
        self.accepts("See [it](tools/there) and `tools/{there,the*}`.", block("sh", "true"))
        self.finds("doc.md:1: the link leads to gone.md", "[x](gone.md)", block("sh", "true"))
        self.finds("there is no tools/gone", "`tools/gone`", block("sh", "true"))

    def test_a_document_that_checks_nothing_fails(self):
        self.finds("no block was checked", "Words only.")

    def test_a_block_that_is_never_closed_is_found(self):
        self.finds("never closed", FENCE + "sh\ntrue\n")


if __name__ == "__main__":
    unittest.main()
