"""The rules of the tree.  A rule takes a Tree and yields Problems; tidy.py runs them.

The table `ROOMS` is the picture of ARCHITECTURE in another form: who may include whom.
"""
import re
from collections import namedtuple

import source_text

Problem = namedtuple("Problem", "path line sentence")

# The standard library without anything that touches the world outside the process.
PURE_STANDARD = set("""
algorithm any array atomic bit bitset cassert cctype cerrno cfloat charconv chrono cinttypes climits
cmath compare complex concepts cstddef cstdint cstdlib cstring cwchar deque exception
expected forward_list functional initializer_list iomanip ios istream iterator limits list
locale map memory memory_resource new numbers numeric optional ostream queue ranges ratio regex
set source_location span sstream stack stdexcept streambuf string string_view tuple type_traits
typeindex typeinfo unordered_map unordered_set utility valarray variant vector version
""".split())
# snprintf, and what prints a broken check; that no file is opened, the symbols show.
DAG_EXTRA = {"cstdio"}

SDK = ["operators/pipelined_plugin.h", "operators/sdk.h", "operators/sdk_context.h",
       "operators/sdk_description.h"]

# room → (prefixes or whole paths that it may include with quotes,
#         patterns of libraries that it may include with angle brackets; None: any).
# The longest matching prefix of a file's path decides which row is its own.
ROOMS = {
    "dag/": (["dag/"], []),
    "dag/graph.cc": (["dag/"], [r"boost/graph/.*"]),
    "dag/spec_toml.cc": (["dag/"], [r"toml\+\+/.*"]),
    "dag/spec_reader.h": (["dag/"], [r"toml\+\+/.*"]),
    "dag/digest.cc": (["dag/"], [r"openssl/(evp|sha)\.h"]),
    "model/": (["model/", "dag/result.h"],
               [r"Eigen/.*", r"xgboost/c_api\.h", r"nlohmann/.*"]),
    "model/onnx.cc": (["model/", "dag/result.h"], [r"dlfcn\.h"]),
    "operators/pipelined_plugin.h": ([], [r"std(int|def)\.h"]),
    "operators/sdk.h": (SDK + ["dag/result.h"], []),
    "operators/sdk_context.h": (SDK + ["dag/result.h"], []),
    "operators/sdk_description.h": (SDK + ["dag/result.h"], []),
    "operators/": (["operators/", "!operators/host/", "dag/"], [r"nlohmann/.*"]),
    "operators/host/": (["operators/", "dag/"], None),
    "operators/testing/": (["operators/", "dag/"], None),
    "plugins/": (SDK + ["plugins/common/", "plugins/{own}/", "model/", "dag/result.h"], None),
    "daemon/": (["daemon/", "dag/", "operators/descriptor.h", "operators/wire.h",
                 "operators/value_json.h"], None),
    "cli/": (["cli/", "daemon/api/protocol.h", "daemon/api/protocol_redo.h", "daemon/api/protocol_versions.h",
              "daemon/api/protocol_models.h", "daemon/posix/zone_files.h", "dag/", "operators/descriptor.h",
              "operators/value_json.h"], None),
    "serve/": (["serve/", "model/", "dag/result.h"], None),
}

# Folders inside the daemon: what each may include of the others.  daemon/ports.h is everybody's.
DAEMON_FOLDERS = {
    "store": ["store", "posix"],
    "posix": ["posix"],
    "artifacts": ["artifacts", "posix", "store"],
    "keeping": ["keeping", "artifacts", "posix", "store"],
    "watch": ["watch", "posix"],
    "exec": ["exec", "posix"],
    "notify": ["notify", "posix", "store"],
    "api": ["api", "keeping", "posix", "artifacts", "store"],
}

# Heavy headers, and the only places where they may stand.
QUARANTINED = [
    (r"spdlog/.*", r"daemon/log\.cc"),
    (r"toml\+\+/.*", r"dag/spec_(toml\.cc|reader\.h)|daemon/config\.cc|plugins/.*\.cc|tests/.*"),
    (r"sqlite3\.h", r"daemon/store/.*|plugins/ingest/sqlite_database\.cc|tests/.*|bench/.*"),
    (r"libpq-fe\.h", r"plugins/ingest/postgresql_database\.cc"),
    (r"curl/.*", r"daemon/notify/.*\.cc"),
    (r"CLI/.*", r"daemon/main\.cc|cli/.*\.cc|tests/.*"),
    (r"nlohmann/.*", r"(operators|daemon|cli|plugins|model|tests|bench)/.*"),
    (r"nlohmann/json\.hpp", r".*\.cc|tests/.*|plugins/.*|operators/.*"),
    (r"dlfcn\.h", r"operators/host/.*|plugins/common/duckdb\.cc|plugins/ingest/postgresql_database\.cc|"
                  r"model/onnx\.cc|tests/.*"),
]

HEADER_LINES_MAX, SOURCE_LINES_MAX, FUNCTION_LINES_MAX = 400, 700, 70
PREFACE_LINES_MIN = 3

# What the engine's library must not ask of the C library or of the C++ one.
DENIED_SYMBOLS = [
    r"(f|fd|fre)?open(at)?(64)?", r"creat(64)?", r"p?(read|write)v?(64)?(_chk)?", r"__p?read(64)?_chk",
    r"f(read|write|puts|gets|close|flush|seeko?)", r"(un)?link(at)?", r"rename(at2?)?", r"mkdir(at)?",
    r"rmdir", r"remove", r"f?(stat|chmod|chown|truncate|sync)(at|64)?", r"statx", r"opendir", r"readdir(64)?",
    r"mmap(64)?", r"ioctl", r"fcntl(64)?", r"pipe2?", r"poll", r"select", r"epoll_\w+", r"inotify_\w+",
    r"socket(pair)?", r"connect", r"bind", r"listen", r"accept4?", r"(send|recv)(to|from|msg)?",
    r"getaddrinfo", r"gethostname",
    r"clock_gettime", r"gettimeofday", r"time", r"times", r"clock", r"localtime(_r)?", r"nanosleep",
    r"usleep", r"sleep", r"std::chrono::_V2::\w+_clock::now\(\)",
    r"(secure_)?getenv", r"setenv", r"putenv", r"environ",
    r"s?rand(om)?(_r)?", r"[dlm]rand48", r"getrandom", r"getentropy", r"arc4random\w*",
    r"RAND_\w+", r"std::random_device::.*",
    r"fork", r"vfork", r"clone3?", r"exec[vl]\w*", r"posix_spawnp?", r"system", r"popen", r"wait(pid|id)?",
    r"kill", r"raise", r"signal", r"sigaction", r"pthread_create", r"std::thread::.*",
    r"std::condition_variable::.*", r"dlopen", r"dlsym", r"syscall", r"printf", r"puts", r"putchar",
    r"std::(__cxx11::)?basic_[io]?fstream<.*", r"std::(__cxx11::)?basic_filebuf<.*",
    r"std::filesystem::.*", r"std::(cout|cin|cerr|clog)", r"sqlite3_\w+", r"curl_\w+",
    # What glibc's fortified or versioned names make of the above.
    r"__isoc\d+_(f|s)?scanf", r"__v?printf_chk", r"__fxstat(64)?", r"__open(64)?_2",
]
_DENIED = re.compile(r"^(?:" + "|".join(DENIED_SYMBOLS) + r")(?:@.*)?$")

# Words that say that something is not finished.  Written apart so that this file is clean.
UNFINISHED = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X"]) + r")\b")
# A path of one machine (nobody's home is /home/ann), or the host of a package registry.
MACHINE_PATHS = re.compile(
    r"(?<![\w.$}{/-])/(" + "|".join(["work", "root", "home/(?!ann\\b)[a-z]\\w*", "Users"]) + r")/[\w.]")
REGISTRY_HOSTS = re.compile("|".join([
    r"py" + r"pi\.org", r"files\.python" + r"hosted\.org", r"registry\.npm" + r"js\.org", r"npm" + r"js\.com",
    r"crates" + r"\.io", r"proxy\.go" + r"lang\.org", r"(deb|ftp|snapshot|security)\.debian" + r"\.org"]))


def _row_of(path):
    best = max((prefix for prefix in ROOMS if path.startswith(prefix)), key=len, default=None)
    return ROOMS.get(best)


def _own_folder(path):
    parts = path.split("/")
    return parts[1] if len(parts) > 2 else ""


def _allowed(included, prefixes, own):
    verdict = False
    for prefix in prefixes:
        denies, prefix = prefix.startswith("!"), prefix.lstrip("!").replace("{own}", own)
        if prefix.endswith("/") and own == "" and prefix.startswith("plugins//"):
            continue
        if included.startswith(prefix) if prefix.endswith("/") else included == prefix:
            verdict = not denies
    return verdict


def include_directions(tree):
    """Rooms include only the rooms that they may know."""
    for path in tree.code():
        row = _row_of(path)
        if row is None:
            continue
        prefixes, libraries = row
        for line, kind, included in source_text.includes(tree.text(path)):
            if kind == '"':
                if not tree.has(included):
                    yield Problem(path, line, f'"{included}" is no file of this tree; includes are '
                                              "written from its root")
                elif not _allowed(included, prefixes, _own_folder(path)):
                    yield Problem(path, line, f"may not include {included}")
                elif not _daemon_folder_allows(path, included):
                    yield Problem(path, line, f"daemon/{_own_folder(path)}/ may not know {included}")
            elif not _library_allowed(path, included, libraries):
                yield Problem(path, line, f"may not include <{included}>")


def _daemon_folder_allows(path, included):
    mine, other = _own_folder(path), _own_folder(included)
    if not path.startswith("daemon/") or mine not in DAEMON_FOLDERS:
        return True
    if not included.startswith("daemon/") or included == "daemon/ports.h":
        return True
    return other in DAEMON_FOLDERS[mine]


def _library_allowed(path, included, libraries):
    for pattern, places in QUARANTINED:
        if re.fullmatch(pattern, included) and not re.fullmatch(places, path):
            return False
    if libraries is None:
        return True
    if any(re.fullmatch(pattern, included) for pattern in libraries):
        return True
    if path.startswith("dag/"):
        return included in PURE_STANDARD | DAG_EXTRA
    if path == "operators/pipelined_plugin.h":
        return False  # it is C
    return "/" not in included and "." not in included  # a header of the C++ standard library


def _first_cycle(edges):
    """A path that ends where it began, else nothing."""
    white, grey = set(edges), []

    def visit(node):
        if node in grey:
            return grey[grey.index(node):] + [node]
        if node not in white:
            return None
        grey.append(node)
        for target in sorted(edges.get(node, ())):
            found = visit(target)
            if found:
                return found
        grey.pop()
        white.discard(node)
        return None

    for node in sorted(edges):
        found = visit(node)
        if found:
            return found
    return None


def cycles(tree):
    """No file includes itself over others, and no folder either."""
    files, folders = {}, {}
    for path in tree.code():
        if path.startswith("tests/"):
            continue
        targets = {included for _, kind, included in source_text.includes(tree.text(path))
                   if kind == '"' and tree.has(included)}
        files[path] = targets
        # A folder and those below it are one thing here: the table of verbs knows the verbs, the
        # verbs know what a verb is.
        place = _folder(path)
        for target in targets:
            if not _one_below_the_other(place, _folder(target)):
                folders.setdefault(place, set()).add(_folder(target))
    for kind, edges in (("files", files), ("folders", folders)):
        cycle = _first_cycle(edges)
        if cycle:
            yield Problem(cycle[0], 0, f"a cycle of {kind}: " + " → ".join(cycle))


def _folder(path):
    return path.rpartition("/")[0]


def _one_below_the_other(a, b):
    return (a + "/").startswith(b + "/") or (b + "/").startswith(a + "/")


def function_lengths(tree):
    """No new function above the limit; the list of old ones may only shrink."""
    known = {}
    for line in tree.text("tests/tidy/long_functions.txt").splitlines():
        if line.strip() and not line.startswith("#"):
            path, name, count = line.split()
            known[(path, name)] = int(count)
    seen = set()
    for path in tree.code():
        for name, line, count in source_text.functions(tree.text(path)):
            if count <= FUNCTION_LINES_MAX:
                continue
            allowed = known.get((path, name), FUNCTION_LINES_MAX)
            seen.add((path, name))
            if count > allowed:
                yield Problem(path, line, f"{name} has {count} lines, {allowed} are allowed")
            elif count < allowed:
                yield Problem(path, line, f"{name} has only {count} lines now: write that into "
                                          "tests/tidy/long_functions.txt")
    for path, name in sorted(set(known) - seen):
        yield Problem("tests/tidy/long_functions.txt", 0,
                      f"{path} {name} is short enough now, or gone: take it out of the list")


def file_shapes(tree):
    """Headers say what they are; no file grows without end."""
    for path in tree.code():
        text = tree.text(path)
        count = text.count("\n")
        header = path.endswith(".h")
        interface = header and not path.startswith("tests/")
        limit = HEADER_LINES_MAX if interface else SOURCE_LINES_MAX
        if count > limit:
            yield Problem(path, 0, f"has {count} lines, {limit} are allowed")
        if interface and not text.lstrip().startswith("/*"):
            preface = source_text.preface_lines(text)
            if preface < PREFACE_LINES_MIN:
                yield Problem(path, 1, f"begins with {preface} lines of comment, "
                                       f"{PREFACE_LINES_MIN} are the least")
        if header and "#pragma once" not in text and "#ifndef" not in text:
            yield Problem(path, 1, "has no #pragma once")
        for number, line in enumerate(text.splitlines(), 1):
            if "\t" in line:
                yield Problem(path, number, "has a tab")


def words(tree):
    """Nothing unfinished, nothing that only one machine has, no host of a registry."""
    for path in tree.texts():
        for number, line in enumerate(tree.text(path).splitlines(), 1):
            for pattern, what in ((UNFINISHED, "says that something is not finished"),
                                  (MACHINE_PATHS, "names a path of one machine"),
                                  (REGISTRY_HOSTS, "names the host of a registry")):
                match = pattern.search(line)
                if match:
                    yield Problem(path, number, f"{what}: {match.group(0)}")


def denied_symbols(names):
    """Of the undefined symbols of the engine's library those that would reach outside."""
    return sorted({name for name in names if _DENIED.match(name)})


RULES = {
    "includes": include_directions,
    "cycles": cycles,
    "functions": function_lengths,
    "shapes": file_shapes,
    "words": words,
}
