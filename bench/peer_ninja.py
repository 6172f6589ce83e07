"""Ninja as the peer: as much work of the same kind, without a daemon, records or durability."""
import subprocess
import time


def _write(folder, rule, edges):
    folder.mkdir(parents=True)
    (folder / "build.ninja").write_text(rule + "\n" + "\n".join(edges) + "\n")


def _build(folder):
    began = time.monotonic()
    subprocess.run(["ninja", "-C", str(folder), "--quiet"], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def nothing(folder, count):
    """Seconds for `count` independent commands `true`."""
    _write(folder, "rule r\n  command = true", [f"build s{i}: r" for i in range(count)])
    return _build(folder)


def kilobyte(folder, count):
    """Seconds for `count` files of 1,024 bytes, written by the shell without another process."""
    _write(folder, "rule r\n  command = printf '%01024d' $n > $out",
           [f"build s{i}: r\n  n = {i}" for i in range(count)])
    return _build(folder)


def chain(folder, count):
    """Seconds for `count` commands `true`, each after the one before."""
    _write(folder, "rule r\n  command = true",
           ["build s0: r"] + [f"build s{i}: r s{i - 1}" for i in range(1, count)])
    return _build(folder)
