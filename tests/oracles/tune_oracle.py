#!/usr/bin/env python3
"""Searches of tune.search beside independent ones written with numpy and scipy.

usage: tune_oracle.py TUNE_DRIVER

Compares, on random spaces and histories:
  - log l - log g of the tree of Parzen estimators (Bergstra et al. 2011), number by number;
  - what is drawn from l with the distribution that scipy says (Kolmogorov-Smirnov, chi-square);
  - which trial is taken: one with a score above nearly all that are drawn from l;
  - promotions of successive halving and ASHA (Li et al. 2020), decision by decision;
  - whole searches with a search in numpy: what both find must be equally good.
"""
import json
import subprocess
import sys

import numpy as np
from scipy import special, stats


class Driver:
    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, **question):
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        reply = json.loads(self.process.stdout.readline())
        if "error" in reply:
            raise AssertionError(reply["error"])
        return reply


SPACE = {
    "x": {"range": [-2.0, 5.0]},
    "eta": {"range": [0.001, 10.0], "log": True},
    "depth": {"integers": [2, 12]},
    "leaves": {"integers": [1, 500], "log": True},
    "kind": {"choices": ["a", "b", "c"]},
    "ratio": {"range": [0.0, 1.0], "when": {"kind": ["b", "c"]}},
    "size": {"integers": [1, 9], "when": {"kind": "c"}},
}


# --- the tree of Parzen estimators, a second time ---

def axis(entry):
    """Ends of the axis and the way onto it."""
    onto = np.log if entry.get("log") else (lambda value: np.asarray(value, dtype=float))
    if "integers" in entry:
        low, high = entry["integers"]
        return float(onto(low - 0.5)), float(onto(high + 0.5)), onto
    low, high = entry["range"]
    return float(onto(low)), float(onto(high)), onto


KERNELS = {}  # frozen distributions are slow to make


def kernels(entry, values):
    """Frozen distributions whose even mixture is the estimator."""
    known = (json.dumps(entry), tuple(values))
    if known not in KERNELS:
        KERNELS[known] = make_kernels(entry, values)
    return KERNELS[known]


def make_kernels(entry, values):
    low, high, onto = axis(entry)
    places = np.sort(onto(np.array(values, dtype=float))) if values else np.array([])
    with_ends = np.concatenate([[low], places, [high]])
    gaps = np.maximum(np.diff(with_ends)[:-1], np.diff(with_ends)[1:]) if len(places) else places
    sigma = np.clip(gaps, (high - low) / min(100, len(places) + 1), high - low)
    bells = [stats.truncnorm((low - m) / s, (high - m) / s, loc=m, scale=s) for m, s in zip(places, sigma)]
    return [stats.uniform(low, high - low), *bells]


def log_density(entry, values, at):
    if "choices" in entry:
        counts = {choice: 1 for choice in entry["choices"]}
        for value in values:
            counts[value] += 1
        return np.log(counts[at] / sum(counts.values()))
    low, high, onto = axis(entry)
    parts = kernels(entry, values)
    if "integers" in entry:
        return np.log(np.mean([p.cdf(onto(at + 0.5)) - p.cdf(onto(at - 0.5)) for p in parts]))
    return np.log(np.mean([p.pdf(onto(at)) for p in parts]))


def active(space, name, point):
    return all(other in point and point[other] in (values if isinstance(values, list) else [values])
               for other, values in space[name].get("when", {}).items())


def split(history, share, goal):
    done = [(i, h) for i, h in enumerate(history) if h["metric"] is not None]
    sign = -1 if goal == "maximise" else 1
    done.sort(key=lambda pair: (sign * pair[1]["metric"], pair[0]))
    count = int(np.ceil(share * len(done)))
    good = [h["values"] for _, h in done[:count]]
    bad = [h["values"] for _, h in done[count:]] + [h["values"] for h in history if h["metric"] is None]
    return good, bad


def score(space, good, bad, point):
    total = 0.0
    for name, entry in space.items():
        if name not in point:
            continue
        total += log_density(entry, [p[name] for p in good if name in p], point[name])
        total -= log_density(entry, [p[name] for p in bad if name in p], point[name])
    return total


def histories(driver, random, count):
    """A space's points with made-up metrics, some without."""
    params = {"space": SPACE, "metric": "m", "generated_max": 500, "strategy": "random", "parallel": count}
    points = driver.ask(ask="next", params=params, seed=int(random.integers(1 << 30)), history=[])["elements"]
    return [{"values": p, "metric": None if random.random() < 0.1 else float(random.normal())} for p in points]


def check_scores(driver, random):
    worst = 0.0
    for goal in ("maximise", "minimise"):
        for count in (2, 7, 40, 110):
            history = histories(driver, random, count)
            pending = [h["values"] for h in histories(driver, random, 3)]
            points = [h["values"] for h in histories(driver, random, 20)] + pending
            params = {"space": SPACE, "metric": "m", "generated_max": 500, "goal": goal, "good": 0.2}
            ours = driver.ask(ask="scores", params=params, seed=1, history=history, pending=pending,
                              points=points)["scores"]
            good, bad = split(history, 0.2, goal)
            theirs = [score(SPACE, good, bad + pending, point) for point in points]
            worst = max(worst, float(np.max(np.abs(np.array(ours) - theirs))))
    assert worst < 1e-8, f"scores differ by {worst}"
    return f"scores of 184 points: largest difference {worst:.1e}"


def check_draws(driver, random):
    history = histories(driver, random, 40)
    params = {"space": SPACE, "metric": "m", "generated_max": 500, "good": 0.25}
    points = driver.ask(ask="draws", params=params, seed=7, history=history, count=4000)["points"]
    good, _ = split(history, 0.25, "maximise")
    least = 1.0
    for name, entry in SPACE.items():
        drawn = [p[name] for p in points if name in p]
        assert len(drawn) == sum(active(SPACE, name, p) for p in points), f"{name} where it is not active"
        seen = [p[name] for p in good if name in p]
        if "range" in entry:
            parts = kernels(entry, seen)
            onto = axis(entry)[2]
            p_value = stats.kstest(onto(np.array(drawn)),
                                   lambda at: np.mean([p.cdf(at) for p in parts], axis=0)).pvalue
        else:
            low, high = entry.get("integers", (0, 0))
            values = entry.get("choices", list(range(low, high + 1)))
            expected = np.exp([log_density(entry, seen, v) for v in values]) * len(drawn)
            counts = np.array([drawn.count(v) for v in values], dtype=float)
            small = expected < 8
            if small.any():
                expected = np.append(expected[~small], expected[small].sum())
                counts = np.append(counts[~small], counts[small].sum())
            p_value = stats.chisquare(counts, expected * counts.sum() / expected.sum()).pvalue
        least = min(least, p_value)
    assert least > 1e-4, f"draws are not from the estimator: p = {least}"
    return f"4,000 draws of 7 parameters: least p-value {least:.3f}"


def check_choice(driver, random):
    """The next trial has a score as the best of 24 draws has: its rank among draws is known."""
    ranks = []
    for _ in range(60):
        history = histories(driver, random, 30)
        params = {"space": SPACE, "metric": "m", "generated_max": 500}
        seed = int(random.integers(1 << 30))
        chosen = driver.ask(ask="next", params=params, seed=seed, history=history)["elements"]
        drawn = driver.ask(ask="draws", params=params, seed=seed, history=history, count=400)["points"]
        scores = driver.ask(ask="scores", params=params, seed=seed, history=history,
                            points=chosen + drawn)["scores"]
        ranks.append(np.mean(np.array(scores[1:]) < scores[0]))
    # The greatest of 24 draws is at u ** (1 / 24) for an even u.
    p_value = stats.kstest(ranks, lambda at: np.clip(at, 0, 1) ** 24).pvalue
    assert p_value > 1e-4, f"the best of 24 is not taken: p = {p_value}, mean rank {np.mean(ranks)}"
    return f"60 choices rank at {np.mean(ranks):.3f} (24 of 25 is 0.96), p = {p_value:.3f}"


# --- rungs, a second time ---

def metric_of(values, rung, random_state):
    noise = np.random.default_rng([random_state, int(values["x"] * 1e6), rung])
    return float(-(values["x"] - 0.4) ** 2 + 0.05 * noise.normal())


def asha_jobs(results, rungs, factor, running):
    """get_job of the paper for one free worker: (rung, key) or None for a new point."""
    for k in range(len(rungs) - 2, -1, -1):
        here = [(key, value) for (rung, key), value in results.items() if rung == k]
        ordered = sorted((pair for pair in here if pair[1] is not None), key=lambda pair: -pair[1])
        for key, _ in ordered[:len(here) // factor]:
            if (k + 1, key) not in results and (k + 1, key) not in running:
                return k + 1, key
    return None


def check_asha(driver, random):
    jobs = promotions = 0
    for trial in range(6):
        factor, parallel = [(2, 3), (3, 5), (4, 1)][trial % 3]
        params = {"space": {"x": {"range": [0.0, 1.0]}}, "metric": "m", "generated_max": 90, "strategy": "asha",
                  "parallel": parallel, "resource": {"name": "r", "min": 1, "max": factor ** 3, "factor": factor}}
        rungs = [factor ** i for i in range(4)]
        history, results = [], {}
        while True:
            named = driver.ask(ask="next", params=params, seed=trial, history=history)["elements"]
            if not named:
                break
            running = set()
            for element in named:
                rung, key = rungs.index(element["r"]), element["x"]
                wanted = asha_jobs(results, rungs, factor, running)
                assert (wanted or (0, key)) == (rung, key), f"{wanted} and not {(rung, key)}"
                assert wanted or all(key != other for _, other in [*results, *running]), "tried before"
                running.add((rung, key))
                promotions += wanted is not None
                jobs += 1
            for element in named:
                rung = rungs.index(element["r"])
                value = None if random.random() < 0.1 else metric_of({"x": element["x"]}, rung, trial)
                results[rung, element["x"]] = value
                history.append({"values": element, "metric": value})
        assert len(history) == 90
    return f"{jobs} jobs of asha, {promotions} promotions: the same"


def check_halving(driver, random):
    for trial in range(6):
        factor = 2 + trial % 3
        params = {"space": {"x": {"range": [0.0, 1.0]}}, "metric": "m", "generated_max": 100, "parallel": 7,
                  "strategy": "halving", "resource": {"name": "r", "min": 1, "max": factor ** 2, "factor": factor}}
        history = []
        while named := driver.ask(ask="next", params=params, seed=trial, history=history)["elements"]:
            history += [{"values": e, "metric": metric_of({"x": e["x"]}, e["r"], trial)} for e in named]
        by_rung = {r: [h for h in history if h["values"]["r"] == r] for r in (1, factor, factor ** 2)}
        sizes = [len(rung) for rung in by_rung.values()]
        assert sizes[1] == sizes[0] // factor and sizes[2] == sizes[1] // factor and sum(sizes) <= 100, sizes
        larger = sizes[0] + 1
        assert larger + larger // factor + larger // factor // factor > 100, "fewer than fit"
        for low, high in zip(list(by_rung.values()), list(by_rung.values())[1:]):
            best = sorted(low, key=lambda h: -h["metric"])[:len(high)]
            assert [h["values"]["x"] for h in best] == [h["values"]["x"] for h in high], "not the best go on"
    return "6 halvings: the same"


# --- whole searches ---

def objective(values):
    """Branin (a minimum of 0.397887), with an axis by factors and one without effect."""
    x, y = values["x"], np.log10(values["y"])
    return float((y - 5.1 / (4 * np.pi ** 2) * x ** 2 + 5 / np.pi * x - 6) ** 2
                 + 10 * (1 - 1 / (8 * np.pi)) * np.cos(x) + 10)


BRANIN = {"x": {"range": [-5.0, 10.0]}, "y": {"range": [1.0, 1e15], "log": True},
          "idle": {"choices": ["a", "b", "c"]}}


class Mixture:
    """The estimator of one axis for many places at once."""

    def __init__(self, entry, seen):
        self.low, self.high, onto = axis(entry)
        self.means = np.sort(onto(np.array(seen, dtype=float)))
        ends = np.concatenate([[self.low], self.means, [self.high]])
        gaps = np.diff(ends)
        width = self.high - self.low
        self.sigma = np.clip(np.maximum(gaps[:-1], gaps[1:]), width / min(100, len(seen) + 1), width)
        self.from_, self.to = (special.ndtr((end - self.means) / self.sigma) for end in (self.low, self.high))

    def log_density(self, places):
        away = (places[:, None] - self.means) / self.sigma
        bells = np.exp(-away ** 2 / 2) / np.sqrt(2 * np.pi) / self.sigma / (self.to - self.from_)
        return np.log((bells.sum(axis=1) + 1 / (self.high - self.low)) / (1 + len(self.means)))

    def draw(self, random, count):
        part = random.integers(len(self.means) + 1, size=count)
        share = random.random(count)
        bell = np.minimum(part, len(self.means) - 1)
        inside = special.ndtri(self.from_[bell] + share * (self.to[bell] - self.from_[bell]))
        return np.where(part == len(self.means), self.low + share * (self.high - self.low),
                        self.means[bell] + self.sigma[bell] * inside)


def numpy_search(random, trials, startup=10, candidates=24, share=0.15):
    """Minimises Branin; a point is (x, log y, index of idle)."""
    points, values = [], []
    entries = [BRANIN["x"], BRANIN["y"]]
    for i in range(trials):
        point = (random.uniform(-5, 10), random.uniform(0, np.log(1e15)), int(random.integers(3)))
        if i >= startup:
            order = np.argsort(values, kind="stable")
            count = int(np.ceil(share * len(order)))
            sides = [[points[j] for j in order[:count]], [points[j] for j in order[count:]]]
            seen = [[[p[0] for p in side], [np.exp(p[1]) for p in side]] for side in sides]
            good, bad = ([Mixture(e, s) for e, s in zip(entries, side)] for side in seen)
            weights = [np.bincount([p[2] for p in side], minlength=3) + 1.0 for side in sides]
            drawn = [mixture.draw(random, candidates) for mixture in good]
            idle = random.choice(3, size=candidates, p=weights[0] / weights[0].sum())
            scores = sum(g.log_density(d) - b.log_density(d) for g, b, d in zip(good, bad, drawn))
            scores = scores + np.log(weights[0] / weights[0].sum())[idle] - np.log(weights[1] / weights[1].sum())[idle]
            best = int(np.argmax(scores))
            point = (drawn[0][best], drawn[1][best], int(idle[best]))
        points.append(point)
        values.append(objective({"x": point[0], "y": np.exp(point[1])}))
    return min(values)


def our_search(driver, strategy, seed, trials):
    params = {"space": BRANIN, "metric": "m", "generated_max": trials, "goal": "minimise", "strategy": strategy}
    history = []
    while named := driver.ask(ask="next", params=params, seed=seed, history=history)["elements"]:
        history += [{"values": e, "metric": objective(e)} for e in named]
    assert len(history) == trials
    return min(h["metric"] for h in history)


def check_searches(driver, random):
    trials = 40
    ours = [our_search(driver, "tpe", seed, trials) for seed in range(60)]
    even = [our_search(driver, "random", seed, trials) for seed in range(60)]
    theirs = [numpy_search(np.random.default_rng(seed), trials) for seed in range(60)]
    same = stats.mannwhitneyu(ours, theirs).pvalue
    better = stats.mannwhitneyu(ours, even, alternative="less").pvalue
    assert same > 1e-3, f"another search: p = {same}, medians {np.median(ours)}, {np.median(theirs)}"
    assert better < 1e-3, f"no better than even draws: p = {better}"
    return (f"Branin after {trials} trials, medians: tpe {np.median(ours):.2f}, in numpy {np.median(theirs):.2f} "
            f"(p = {same:.2f}), random {np.median(even):.2f} (p = {better:.1e})")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    driver = Driver(sys.argv[1])
    random = np.random.default_rng(20)
    for check in (check_scores, check_draws, check_choice, check_asha, check_halving, check_searches):
        print(check(driver, random), flush=True)
    print("ok")


if __name__ == "__main__":
    main()
