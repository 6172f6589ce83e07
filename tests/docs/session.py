"""One shell for all the commands of one document, in a place of its own.

The shell starts in a folder that looks like the source tree just built: every entry is a link to the
real one, but `build` is a fresh folder whose `release` leads to the build under test.  State, home
and runtime folders are new (and PIPELINED_BUILD is the build under test), so that a daemon which a document starts without options is nobody
else's.  `close` ends everything that the document started.
"""
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time


class Ended(Exception):
    """The shell is gone, or a command took too long."""


class Session:
    def __init__(self, root, build, seconds_max):
        self.folder = tempfile.mkdtemp(prefix="docs-")
        self.seconds_max = seconds_max
        self.tree = os.path.join(self.folder, "pipelined")
        self.errors = os.path.join(self.folder, "errors")
        self._make_tree(root, build)
        reading, writing = os.pipe()
        self.replies = reading
        self.shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc"], cwd=self.tree, env=self._environment(build),
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            pass_fds=(writing,), start_new_session=True)
        os.close(writing)
        self.reply_to = f">&{writing}"
        self.closed = f"{writing}>&-"  # what is run does not get it, so its end is seen
        self._say("set -E\n")
        self._say(f"trap '__status=$?; printf \"%s %s %s\\n\" \"$LINENO\" \"$__status\""
                  f" \"${{BASH_SOURCE[0]-}}\" >> \"{self.errors}\"' ERR\n")

    def _make_tree(self, root, build):
        os.mkdir(self.tree)
        for name in os.listdir(root):
            if name not in ("build", ".git"):
                os.symlink(os.path.join(root, name), os.path.join(self.tree, name))
        os.mkdir(os.path.join(self.tree, "build"))
        os.symlink(build, os.path.join(self.tree, "build", "release"))
        for name in ("home", "state", "runtime", "tmp"):
            os.mkdir(os.path.join(self.folder, name), 0o700)

    def _environment(self, build):
        system = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        environment = {
            "PATH": os.path.join(self.tree, "build", "release", "bin") + ":" + system,
            "HOME": os.path.join(self.folder, "home"),
            "XDG_STATE_HOME": os.path.join(self.folder, "state"),
            "XDG_RUNTIME_DIR": os.path.join(self.folder, "runtime"),
            "TMPDIR": os.path.join(self.folder, "tmp"),
            "PIPELINED_BUILD": build,
            "LANG": "C.UTF-8", "TZ": "UTC", "NO_COLOR": "1",
        }
        ccache = os.environ.get("CCACHE_DIR", os.path.expanduser("~/.cache/ccache"))
        environment["CCACHE_DIR"] = ccache
        return environment

    def _say(self, text):
        try:
            self.shell.stdin.write(text.encode())
            self.shell.stdin.flush()
        except BrokenPipeError:
            raise Ended("the shell has ended") from None

    def _wait(self, seconds):
        ready, _, _ = select.select([self.replies], [], [], seconds)
        if not ready:
            raise Ended(f"still running after {seconds:.0f} s")
        if not os.read(self.replies, 4096):
            raise Ended("the shell has ended (exit in a block?)")

    def run(self, lines, first_line):
        """What these commands printed, and {line: status} of those that failed.

        `first_line` is the line of the document on which they begin.
        """
        script, printed = (os.path.join(self.folder, name) for name in ("script", "printed"))
        with open(script, "w", encoding="utf-8") as file:
            file.write("\n" * (first_line - 1) + "\n".join(lines) + "\n")
        open(self.errors, "w", encoding="utf-8").close()
        self._say(f"source {script} > {printed} 2>&1 < /dev/null {self.closed}\n"
                  f"echo . {self.reply_to}\n")
        try:
            self._wait(self.seconds_max)
            if any(line.split("#")[0].rstrip().endswith("&") and "pipelined" in line
                   for line in lines):
                self._await_daemon()
        finally:
            with open(printed, encoding="utf-8", errors="replace") as file:
                self.printed = file.read().splitlines()
        return self.printed, self._failures(script)

    def _failures(self, script):
        failures = {}
        with open(self.errors, encoding="utf-8") as file:
            for entry in file:
                line, status, source = entry.rstrip("\n").split(" ", 2)
                if source == script:
                    failures[int(line)] = int(status)
        return failures

    def _await_daemon(self):
        """A person who has started a daemon does not type the next command within a millisecond."""
        self._say("for _ in $(seq 200); do pipectl status > /dev/null 2>&1 < /dev/null "
                  f"{self.closed} && break; sleep 0.05; done; true\necho . {self.reply_to}\n")
        self._wait(30)

    def close(self):
        try:
            self._say("trap - ERR; kill $(jobs -p) 2> /dev/null; wait; exit\n")
            self.shell.wait(10)
        except (Ended, subprocess.TimeoutExpired):
            pass
        try:
            os.killpg(self.shell.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.shell.wait()
        os.close(self.replies)
        for _ in range(20):
            shutil.rmtree(self.folder, ignore_errors=True)
            if not os.path.exists(self.folder):
                return
            time.sleep(0.1)
