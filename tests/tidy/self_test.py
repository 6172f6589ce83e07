"""Feeds every rule what it must refuse and what it must let pass."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

import rules
import source_text
import tidy

PREFACE = "// What it is.\n// What it does not know.\n// Any thread.\n#pragma once\n"
LONG = "int f() {\n" + "  g();\n" * 80 + "}\n"


class FakeTree:
    def __init__(self, **files):
        self.files = {"tests/tidy/long_functions.txt": ""}
        self.files.update(files)

    def code(self):
        return [name for name in self.files if name.endswith((".h", ".cc", ".c"))]

    def texts(self):
        return list(self.files)

    def has(self, name):
        return name in self.files

    def text(self, name):
        return self.files[name]


def sentences(rule, files):
    return [problem.sentence for problem in rules.RULES[rule](FakeTree(**files))]


class Includes(unittest.TestCase):
    def one(self, path, include, *others):
        files = {path: f"#include {include}\n"}
        if include.startswith('"'):
            files[include.strip('"')] = ""
        return sentences("includes", files)

    def test_refused(self):
        for path, include in [
            ("dag/plan.cc", '"daemon/ports.h"'), ("dag/plan.cc", "<fstream>"),
            ("dag/plan.cc", "<filesystem>"), ("dag/plan.cc", "<thread>"), ("dag/plan.cc", "<iostream>"),
            ("dag/plan.cc", "<random>"), ("dag/plan.cc", "<unistd.h>"), ("dag/plan.cc", "<toml++/toml.h>"),
            ("dag/check.cc", "<boost/graph/topological_sort.hpp>"), ("dag/plan.cc", "<nlohmann/json.hpp>"),
            ("model/model.cc", '"operators/sdk.h"'), ("model/model.cc", "<arrow/array.h>"),
            ("operators/pipelined_plugin.h", "<string>"), ("operators/sdk.h", '"dag/engine.h"'),
            ("operators/wire.cc", '"operators/host/attempt.h"'), ("operators/wire.cc", "<dlfcn.h>"),
            ("plugins/data/a.cc", '"plugins/train/b.h"'), ("plugins/data/a.cc", '"daemon/ports.h"'),
            ("plugins/data/a.cc", '"operators/wire.h"'), ("plugins/data/a.cc", '"dag/engine.h"'),
            ("daemon/exec/a.cc", '"operators/host/attempt.h"'), ("daemon/app.cc", '"plugins/common/x.h"'),
            ("daemon/app.cc", '"operators/sdk.h"'), ("daemon/app.cc", "<spdlog/spdlog.h>"),
            ("daemon/watch/a.cc", '"daemon/store/store.h"'), ("daemon/store/a.cc", '"daemon/app.h"'),
            ("daemon/api/a.cc", "<sqlite3.h>"), ("daemon/api/a.h", "<nlohmann/json.hpp>"),
            ("cli/a.cc", '"daemon/api/server.h"'), ("cli/a.cc", '"daemon/store/store.h"'),
            ("daemon/artifacts/a.cc", "<dlfcn.h>"),
        ]:
            with self.subTest(path=path, include=include):
                self.assertEqual(len(self.one(path, include)), 1)

    def test_allowed(self):
        for path, include in [
            ("dag/plan.cc", '"dag/graph.h"'), ("dag/plan.cc", "<vector>"), ("dag/plan.cc", "<sstream>"),
            ("dag/graph.cc", "<boost/graph/topological_sort.hpp>"), ("dag/digest.cc", "<openssl/evp.h>"),
            ("dag/spec_toml.cc", "<toml++/toml.h>"), ("model/model.cc", "<Eigen/Dense>"),
            ("operators/pipelined_plugin.h", "<stdint.h>"), ("operators/sdk.h", '"dag/result.h"'),
            ("operators/host/a.cc", "<dlfcn.h>"), ("plugins/data/a.cc", '"plugins/data/b.h"'),
            ("plugins/data/a.cc", '"operators/sdk.h"'), ("daemon/exec/a.cc", '"operators/wire.h"'),
            ("daemon/log.cc", "<spdlog/spdlog.h>"), ("cli/a.cc", '"daemon/api/protocol.h"'),
            ("tests/sim/a.cc", '"daemon/exec/supervisor.h"'),
        ]:
            with self.subTest(path=path, include=include):
                self.assertEqual(self.one(path, include), [])

    def test_include_of_nothing(self):
        self.assertEqual(len(sentences("includes", {"dag/a.cc": '#include "graph.h"\n'})), 1)


class Cycles(unittest.TestCase):
    def test_of_files(self):
        files = {"dag/a.h": '#include "dag/b.h"', "dag/b.h": '#include "dag/c.h"',
                 "dag/c.h": '#include "dag/a.h"'}
        self.assertIn("dag/a.h → dag/b.h → dag/c.h → dag/a.h", sentences("cycles", files)[0])

    def test_of_folders(self):
        files = {"x/a.h": '#include "y/b.h"', "y/b.h": "", "y/c.h": '#include "x/d.h"', "x/d.h": ""}
        self.assertEqual(sentences("cycles", files), ["a cycle of folders: x → y → x"])

    def test_none(self):
        files = {"x/a.h": '#include "x/b/c.h"', "x/b/c.h": '#include "x/d.h"', "x/d.h": "",
                 "x/e.h": '#include "x/d.h"'}
        self.assertEqual(sentences("cycles", files), [])


class Functions(unittest.TestCase):
    def test_too_long(self):
        self.assertEqual(sentences("functions", {"dag/a.cc": LONG}), ["f has 82 lines, 70 are allowed"])

    def test_list_only_shrinks(self):
        listed = lambda count: {"dag/a.cc": LONG, "tests/tidy/long_functions.txt": f"dag/a.cc f {count}\n"}
        self.assertEqual(sentences("functions", listed(82)), [])
        self.assertIn("82 lines, 81 are allowed", sentences("functions", listed(81))[0])
        self.assertIn("only 82 lines now", sentences("functions", listed(90))[0])
        gone = {"tests/tidy/long_functions.txt": "dag/a.cc f 82\n", "dag/a.cc": "int f() {\n}\n"}
        self.assertIn("take it out", sentences("functions", gone)[0])

    def test_what_is_a_function(self):
        text = ('namespace a {\nstruct S {\n  int g() const { return 1; }\n};\n}\n'
                'S::S(int x)\n    : y(x) {\n  if (x) {\n    z();\n  }\n  const auto l = [] { q(); };\n}\n'
                'int table[] = {1, 2};\nconst char* t = "{ f() {";  // { g() {\n'
                'auto s = R"(h() {)";\nTEST_CASE("a { b") {\n  CHECK(1 == 10\'000);\n}\n')
        self.assertEqual(source_text.functions(text),
                         [("g", 3, 1), ("S::S", 6, 7), ("TEST_CASE", 16, 3)])


class Shapes(unittest.TestCase):
    def test_refused(self):
        for path, text, sentence in [
            ("dag/a.h", "#pragma once\n", "begins with 0 lines"),
            ("dag/a.h", "// One.\n// Two.\n#pragma once\n", "begins with 2 lines"),
            ("dag/a.h", "// One.\n// Two.\n// Three.\n", "no #pragma once"),
            ("dag/a.h", PREFACE + "\n" * 400, "404 lines"),
            ("dag/a.cc", "\n" * 701, "701 lines"),
            ("dag/a.cc", "\tint a;\n", "tab"),
        ]:
            with self.subTest(path=path, sentence=sentence):
                found = sentences("shapes", {path: text})
                self.assertEqual(len(found), 1)
                self.assertIn(sentence, found[0])

    def test_allowed(self):
        self.assertEqual(sentences("shapes", {"dag/a.h": PREFACE, "dag/a.cc": "\n" * 700}), [])


class Words(unittest.TestCase):
    def test_refused(self):
        for line in ["// TO" + "DO: later", "# FIX" + "ME", "open('/wo" + "rk/x')", "cd /ro" + "ot/here",
                     "/ho" + "me/bob/data", "https://py" + "pi.org/simple", "registry.npm" + "js.org",
                     "http://deb.debian" + ".org/"]:
            with self.subTest(line=line):
                self.assertEqual(len(sentences("words", {"docs/a.md": line + "\n"})), 1)

    def test_allowed(self):
        text = "todo lists\n/usr/lib/x\n${root}/x a/work/b ./work/x framework/x\n/home/ann/x\n"
        self.assertEqual(sentences("words", {"docs/a.md": text}), [])


class Symbols(unittest.TestCase):
    def test_names(self):
        bad = ["open", "openat", "open64", "read", "write", "fopen", "fopen64", "socket", "connect",
               "clock_gettime@GLIBC_2.17", "time", "getenv", "rand", "random", "srand", "fork", "execve",
               "pthread_create", "posix_spawn", "getrandom", "unlink", "stat", "mmap", "printf",
               "__printf_chk",
               "std::random_device::_M_getval()", "std::chrono::_V2::system_clock::now()",
               "std::basic_ofstream<char, std::char_traits<char> >::basic_ofstream()",
               "std::filesystem::__cxx11::path::path()", "std::thread::join()", "std::cout"]
        self.assertEqual(rules.denied_symbols(bad), sorted(bad))
        good = ["EVP_DigestUpdate", "EVP_sha256", "memcpy", "snprintf", "fprintf", "__fprintf_chk", "abort", "strlen",
                "std::ostream::write(char const*, long)", "operator new(unsigned long)",
                "pipelined::Manifest::open()", "round", "std::locale::classic()"]
        self.assertEqual(rules.denied_symbols(good), [])

    def test_a_real_library(self):
        with tempfile.TemporaryDirectory() as folder:
            source = pathlib.Path(folder, "a.cc")
            source.write_text("#include <fstream>\n#include <cstdlib>\n#include <chrono>\n"
                              "const char* f() { std::ofstream(\"x\"); return std::getenv(\"X\"); }\n"
                              "long g() { return std::chrono::system_clock::now().time_since_epoch().count(); }\n")
            built = pathlib.Path(folder, "a.o")
            subprocess.run(["c++", "-c", str(source), "-o", str(built)], check=True)
            denied = rules.denied_symbols(tidy.undefined_symbols(str(built)))
            self.assertIn("getenv", denied)
            self.assertTrue(any("ofstream" in name for name in denied))
            self.assertTrue(any("system_clock::now" in name for name in denied))


class Program(unittest.TestCase):
    def test_wrong_usage(self):
        self.assertEqual(tidy.main(["nonsense"]), 2)
        self.assertEqual(tidy.main([]), 2)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
