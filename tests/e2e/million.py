#!/usr/bin/env python3
"""A great many native steps through the real daemon, to the end: how long, and how much memory.

usage: million.py --build BUILD [--steps N] [--wide N]

Runs a pipeline of `--wide` trivial native steps again and again, each time with another parameter so
that nothing is reused, until so many steps have run.
"""
import argparse
import os
import shutil
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from injured import Injured  # noqa: E402
from torture import Victim  # noqa: E402
from product import wait_for  # noqa: E402

PIPELINE = """name = "trivial"
[params]
round = 0
[source.in]
path = "in/{SPAN}.txt"
settle = "0s"
[step.work]
foreach = "source.in"
operator = "bench.nothing"
in.file = "each"
params.round = "${round}"
"""


def memory_mib(pid, field):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) // 1024 for line in file if line.startswith(field))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--wide", type=int, default=10_000)
    arguments = parser.parse_args()
    build = os.path.abspath(arguments.build)
    victim = Victim(build, "[capacity]\ncpus = 64\n")
    try:
        shutil.copy(os.path.join(build, "example_plugins", "bench.so"), victim.plugins)
        folder = os.path.join(victim.place, "trivial")
        os.makedirs(os.path.join(folder, "in"))
        for number in range(arguments.wide):
            with open(os.path.join(folder, "in", f"{number}.txt"), "w") as file:
                file.write(f"{number}\n")
        with open(os.path.join(folder, "pipeline.toml"), "w") as file:
            file.write(PIPELINE)
        victim.launch_with("")
        assert victim.answers(30), victim.log()[-2000:]
        victim.pipectl("apply", folder)

        def taken():
            with Injured(os.path.join(victim.place, "state"), os.path.join(victim.place, "store")) as found:
                return found.rows("SELECT count(*) FROM arrivals")[0][0]
        assert wait_for(lambda: taken() == arguments.wide, 60 + arguments.wide / 100), taken()
        began, done, early = time.monotonic(), 0, 0
        while done < arguments.steps:
            victim.pipectl("run", "trivial", "--param", f"round={done // arguments.wide + 1}", "--wait")
            done += arguments.wide
            if done <= 3 * arguments.wide:
                early = memory_mib(victim.daemon.pid, "VmRSS")
        took = time.monotonic() - began
        late, peak = memory_mib(victim.daemon.pid, "VmRSS"), memory_mib(victim.daemon.pid, "VmHWM")
        with Injured(os.path.join(victim.place, "state"), os.path.join(victim.place, "store")) as found:
            (good,), = found.rows("SELECT count(*) FROM steps WHERE state = 'succeeded'")
        assert good >= done, f"only {good} of {done} steps succeeded"
        print(f"{done} native steps to the end in {took:.0f} s ({done / took:.0f} a second); memory {early} MiB after the "
              f"third run, {late} MiB at the end, {peak} MiB at most")
        assert late <= early * 1.5 + 32, "memory grows with what is over"
    finally:
        victim.end()


if __name__ == "__main__":
    main()
