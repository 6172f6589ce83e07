#!/usr/bin/env python3
"""Files that arrive by the hundred thousand, and files that arrive in every awkward way.

usage: arrivals.py --build BUILD [--files N] [--rounds N] [--seed N] [many|awkward]…

many:    so many files land while the daemon is stopped, more than its queue of events holds; each must
         be recorded exactly once.  Prints how long that took and the daemon's peak memory.
awkward: 25 kinds of half-written, moved, replaced and odd files, each in so many random interleavings.
         Nothing that is recorded may ever be torn, and what rests in the end must be recorded.
"""
import argparse
import hashlib
import mmap
import os
import random
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from injured import Injured  # noqa: E402
from torture import Victim  # noqa: E402
from product import wait_for  # noqa: E402

SETTLE = 0.4
FILES = """name = "files"
[source.in]
path = "in/{{SPAN}}.txt"
settle = "{settle}ms"
[source.moved]
path = "moved/{{SPAN}}.txt"
settle = "{settle}ms"
[step.a]
foreach = "source.in"
operator = "command.run"
in.file = "each"
params.argv = ["cp", "{{in.file}}", "{{out.x}}"]
out.x = "files/1"
"""


class Files(Victim):
    """A daemon that watches two folders and runs nothing."""

    def __init__(self, build, settle):
        super().__init__(build)
        self.home = os.path.join(self.place, "files")
        for folder in ("in", "moved", "aside"):
            os.makedirs(os.path.join(self.home, folder))
        with open(os.path.join(self.home, "pipeline.toml"), "w") as file:
            file.write(FILES.format(settle=int(settle * 1000)))

    def begin(self):
        self.launch_with("")
        assert self.answers(30), self.log()[-2000:]
        self.pipectl("apply", self.home)

    def recorded(self):
        """(source, span) → digests of the delivered files, oldest first."""
        with Injured(os.path.join(self.place, "state"), os.path.join(self.place, "store"), self.believed) as found:
            taken = {}
            for source, span, manifest in found.rows(
                    "SELECT s.source, s.span, a.manifest FROM arrivals s JOIN artifacts a ON a.id = s.artifact "
                    "WHERE s.pipeline = 'files' ORDER BY s.number"):
                taken.setdefault((source, span), []).append(manifest.split('"sha256":"')[1][:64])
            return taken

    def memory_mib(self):
        with open(f"/proc/{self.daemon.pid}/status") as file:
            return next(int(line.split()[1]) // 1024 for line in file if line.startswith("VmHWM"))


def count_of(victim):
    with Injured(os.path.join(victim.place, "state"), os.path.join(victim.place, "store")) as found:
        return (found.rows("SELECT count(*) FROM arrivals WHERE pipeline = 'files'") or [(0,)])[0][0]


def many(build, files, _rounds, _seed):
    victim = Files(build, 0.05)
    try:
        victim.begin()
        with open("/proc/sys/fs/inotify/max_queued_events") as file:
            queue = int(file.read())
        folder = os.path.join(victim.home, "in")
        land = lambda name: os.rename(os.path.join(folder, name + ".part"), os.path.join(folder, name + ".txt"))
        with open(os.path.join(folder, "0.part"), "w") as file:
            file.write("first\n")
        land("0")
        assert wait_for(lambda: count_of(victim) == 1, 20), victim.log()[-1000:]
        victim.daemon.send_signal(signal.SIGSTOP)  # the reader stands still: its queue overflows
        began = time.monotonic()
        for number in range(1, files):
            with open(os.path.join(folder, f"{number}.part"), "w") as file:
                file.write(f"{number}\n")
            land(f"{number}")
        landed = time.monotonic() - began
        victim.daemon.send_signal(signal.SIGCONT)
        began = time.monotonic()
        assert wait_for(lambda: count_of(victim) >= files, 60 + files / 200), count_of(victim)
        took = time.monotonic() - began
        time.sleep(0.5)
        taken = victim.recorded()
        assert len(taken) == files and all(len(digests) == 1 for digests in taken.values()), len(taken)
        wrong = [span for (_, span), (digest,) in taken.items()
                 if digest != hashlib.sha256(("first\n" if span == "0" else f"{span}\n").encode()).hexdigest()]
        assert not wrong, wrong[:5]
        overflow = "more than" if files * 3 > queue else "NOT more than"
        return f"{files} files landed in {landed:.1f} s, {overflow} the queue of {queue} events holds; each recorded " \
               f"once {took:.1f} s after the daemon went on; peak memory {victim.memory_mib()} MiB"
    finally:
        victim.daemon.send_signal(signal.SIGCONT)
        victim.end()


class Awkward:
    """One awkward file: writes it, and knows which contents were ever whole."""

    def __init__(self, victim, kind, number, chance):
        self.home, self.kind, self.chance = victim.home, kind, chance
        self.span = str(number)
        self.path = os.path.join(victim.home, "in", self.span + ".txt")
        self.aside = os.path.join(victim.home, "aside", self.span)
        self.whole = set()   # digests that may be recorded
        self.final = None    # the digest that must be the newest one; None: nothing may be recorded
        self.stir()          # nothing at the path has changed since then
        self.text = hashlib.sha256(f"{kind} {number}".encode()).hexdigest().encode() * 200

    def pause(self, longest=SETTLE / 3):
        """A moment of rest.  On a busy machine it may last: what stood for the settle time is whole."""
        time.sleep(self.chance.random() * longest)
        if time.monotonic() - self.stirred >= SETTLE * 0.9 and os.path.isfile(self.path):
            with open(self.path, "rb") as file:
                self.rested_as(file.read())
        self.stir()

    def run(self):
        self.stir()
        self.kind(self)

    def stir(self):
        self.stirred = time.monotonic()

    def rest(self):
        time.sleep(SETTLE * 3 + 0.3 * self.chance.random())

    def ends_as(self, content):
        self.final = hashlib.sha256(content).hexdigest()
        self.whole.add(self.final)

    def rested_as(self, content):
        self.whole.add(hashlib.sha256(content).hexdigest())

    def put(self, path, content, mode="wb"):
        with open(path, mode) as file:
            file.write(content)

    def in_pieces(self, path, content, pieces=8):
        with open(path, "wb") as file:
            for i in range(pieces):
                file.write(content[i * len(content) // pieces:(i + 1) * len(content) // pieces])
                file.flush()
                self.pause()


def renamed_in(f): f.put(f.aside, f.text); f.pause(); os.rename(f.aside, f.path); f.ends_as(f.text)
def written_at_once(f): f.put(f.path, f.text); f.ends_as(f.text)
def written_slowly(f): f.in_pieces(f.path, f.text); f.ends_as(f.text)
def byte_by_byte(f): f.in_pieces(f.path, f.text[:12], 12); f.ends_as(f.text[:12])
def slowly_under_part(f): f.in_pieces(f.path + ".part", f.text); os.rename(f.path + ".part", f.path); f.ends_as(f.text)
def slowly_under_dot(f):
    hidden = os.path.join(os.path.dirname(f.path), "." + f.span)
    f.in_pieces(hidden, f.text)
    os.rename(hidden, f.path)
    f.ends_as(f.text)
def renamed_over(f):
    f.put(f.path, f.text)
    f.rested_as(f.text)
    f.pause(SETTLE * 3)
    f.put(f.aside, f.text * 2)
    os.rename(f.aside, f.path)
    f.ends_as(f.text * 2)
def cut_and_written_again(f):
    f.put(f.path, f.text)
    f.rested_as(f.text)
    f.pause(SETTLE * 2)
    f.in_pieces(f.path, f.text[::-1])
    f.ends_as(f.text[::-1])
def cut_while_it_is_copied(f):
    large = f.text * 400
    f.put(f.path, large)
    f.rested_as(large)
    time.sleep(SETTLE * (0.9 + 0.3 * f.chance.random()))
    f.stir()
    os.truncate(f.path, 100)
    f.pause(SETTLE / 4)
    f.put(f.path, f.text)
    f.ends_as(f.text)
def changed_while_it_settles(f): f.put(f.path, f.text); f.pause(); f.put(f.path, f.text + b"more"); f.ends_as(f.text + b"more")
def hard_linked_in(f): f.put(f.aside, f.text); os.link(f.aside, f.path); f.ends_as(f.text)
def written_through_mmap(f):
    f.put(f.path, b"\0" * len(f.text))
    with open(f.path, "r+b") as file, mmap.mmap(file.fileno(), len(f.text)) as memory:
        memory[:] = f.text
        memory.flush()
    os.utime(f.path)
    f.ends_as(f.text)
def a_link(f): f.put(f.aside, f.text); os.symlink(f.aside, f.path)
def a_pipe(f): os.mkfifo(f.path)
def a_socket(f):
    short = tempfile.mkdtemp(prefix="pl-s-")
    socket.socket(socket.AF_UNIX).bind(os.path.join(short, "s"))
    try:
        os.rename(os.path.join(short, "s"), f.path)
    except OSError:
        pass  # the temporary folder is another file system
    shutil.rmtree(short, ignore_errors=True)
def a_folder(f): os.mkdir(f.path); f.put(os.path.join(f.path, "x.txt"), f.text)
def gone_again(f): f.put(f.path, f.text); f.pause(SETTLE / 2); os.unlink(f.path)
def moved_away_and_back(f):
    f.put(f.path, f.text)
    f.pause()
    os.rename(f.path, f.aside)
    f.pause()
    os.rename(f.aside, f.path)
    f.ends_as(f.text)
def more_after_it_was_taken(f):
    f.put(f.path, f.text)
    f.rested_as(f.text)
    f.rest()
    f.put(f.path, b"and more", "ab")
    f.ends_as(f.text + b"and more")
def empty_then_filled(f): f.put(f.path, b""); f.pause(); f.put(f.path, f.text); f.ends_as(f.text)
def empty(f): f.put(f.path, b""); f.ends_as(b"")
def grown_then_filled(f):
    with open(f.path, "wb") as file:
        file.truncate(len(f.text))
        f.pause()
        file.write(f.text)
    f.ends_as(f.text)
def filled_in_any_order(f):
    places = list(range(0, len(f.text), 1000))
    f.chance.shuffle(places)
    with open(f.path, "wb") as file:
        os.posix_fallocate(file.fileno(), 0, len(f.text))
        for at in places:
            os.pwrite(file.fileno(), f.text[at:at + 1000], at)
            if f.chance.random() < 0.3:
                f.pause()
    f.ends_as(f.text)
def touched_later(f): f.put(f.path, f.text); f.ends_as(f.text); f.rest(); os.utime(f.path)
def appended_twice(f): f.put(f.path, f.text); f.pause(); f.put(f.path, b"2", "ab"); f.pause(); f.put(f.path, b"3", "ab"); f.ends_as(f.text + b"23")
def replaced_by_the_same(f): f.put(f.path, f.text); f.rest(); f.put(f.aside, f.text); os.rename(f.aside, f.path); f.ends_as(f.text)
def odd_names_beside(f):
    for name in (b"line\nbreak.txt", b"not\xff\xfeutf8.txt", b"-rf.txt"):
        with open(os.path.join(os.path.dirname(f.path).encode(), f.span.encode() + name), "wb") as file:
            file.write(f.text)
    f.put(f.path, f.text)
    f.ends_as(f.text)


KINDS = [renamed_in, written_at_once, written_slowly, byte_by_byte, slowly_under_part, slowly_under_dot, renamed_over,
         cut_and_written_again, cut_while_it_is_copied, changed_while_it_settles, hard_linked_in, written_through_mmap,
         a_link, a_pipe, a_socket, a_folder, gone_again, moved_away_and_back, more_after_it_was_taken,
         empty_then_filled, empty, grown_then_filled, filled_in_any_order, touched_later, appended_twice,
         replaced_by_the_same, odd_names_beside]


def move_the_folder(victim, rounds, chance):
    """The watched folder itself is renamed, removed and made again under files that rest in it."""
    folder, away = os.path.join(victim.home, "moved"), os.path.join(victim.home, "moved-away")
    expected = {}
    for number in range(rounds):
        os.rename(folder, away)
        time.sleep(chance.random() * SETTLE)
        with open(os.path.join(away, f"{number}.txt"), "w") as file:
            file.write(f"moved {number}\n")
        expected[str(number)] = hashlib.sha256(f"moved {number}\n".encode()).hexdigest()
        if number % 2:
            shutil.copytree(away, folder)
            shutil.rmtree(away)
        else:
            os.rename(away, folder)
        time.sleep(chance.random() * SETTLE)
    return expected


def awkward(build, _files, rounds, seed):
    victim = Files(build, SETTLE)
    try:
        victim.begin()
        chance = random.Random(seed)
        files = [Awkward(victim, kind, 100 * rank + number, random.Random(chance.random()))
                 for number in range(rounds) for rank, kind in enumerate(KINDS, 1)]
        threads = [threading.Thread(target=file.run) for file in files]
        for thread in threads:
            thread.start()
            time.sleep(chance.random() * 0.02)
        moved = move_the_folder(victim, rounds, chance)
        for thread in threads:
            thread.join()

        def wrong():
            taken = victim.recorded()
            for file in files:
                digests = taken.get(("in", file.span), [])
                torn = [digest for digest in digests if digest not in file.whole]
                name = f"{file.kind.__name__} {file.span}"
                # A file that was there for a moment only may have been taken whole, never torn.
                if torn and not (file.kind is gone_again and torn == [hashlib.sha256(file.text).hexdigest()]):
                    yield f"{name} is torn: {torn}"
                if file.final and (not digests or digests[-1] != file.final):
                    yield f"{name} was not taken as it is"
                if len(digests) != len(set(digests)) and file.kind is not renamed_over:
                    yield f"{name} was taken twice"
            for span, digest in moved.items():
                if taken.get(("moved", span)) != [digest]:
                    yield f"moved {span} is {taken.get(('moved', span))}"

        assert wait_for(lambda: not any(wrong()), 75), list(wrong())[:10]
        time.sleep(SETTLE * 2)
        assert not any(wrong()), list(wrong())[:10]
        victim.look("awkward files")
        return f"{len(KINDS) + 1} kinds of awkward files, {len(files) + len(moved)} in all: none was torn, none taken twice"
    finally:
        victim.end()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    for part in (many, awkward):
        if not arguments.names or part.__name__ in arguments.names:
            print(part(os.path.abspath(arguments.build), arguments.files, arguments.rounds, arguments.seed), flush=True)


if __name__ == "__main__":
    main()
