#!/usr/bin/env python3
"""Compares `pipectl next` with schedules worked out anew, minute by minute, over Python's zoneinfo.

usage: schedule_oracle.py PIPECTL TABLE.tsv...

1. The rows of the tables (expression, zone, from, instants) are worked out again here.
2. Random expressions in many zones around changes of the clock, by brute force.
3. Offsets of many zones at many instants, through `* * * * *`.
4. croniter, in UTC, for expressions on whose meaning both agree.

Ends with 77, which means skipped, where zoneinfo or croniter is missing.
"""
import calendar
import datetime as dt
import random
import subprocess
import sys

try:
    import zoneinfo
    import croniter
    zoneinfo.ZoneInfo("Europe/Berlin")
except (ImportError, KeyError) as problem:
    print(f"not possible here: {problem}")
    sys.exit(77)

UTC = dt.timezone.utc
MINUTE = dt.timedelta(minutes=1)
RANGES = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)]
MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()
DAYS = "SUN MON TUE WED THU FRI SAT".split()
NICKNAMES = {"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *",
             "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *",
             "@annually": "0 0 1 1 *"}


def number(word, field):
    word = word.upper()
    if field == 3 and word in MONTHS:
        return MONTHS.index(word) + 1
    if field == 4 and word in DAYS:
        return DAYS.index(word)
    return int(word)


class Expression:
    def __init__(self, text):
        self.fields = NICKNAMES.get(text, text).split()
        assert len(self.fields) == 5, text
        self.sets, self.special = [], []
        for field, word in enumerate(self.fields):
            values = set()
            for item in word.split(","):
                self._item(item, field, values)
            self.sets.append(values)
        self.sets[4] = {day % 7 for day in self.sets[4]}
        self.wild = (self.fields[0][0] == "*" or self.fields[1][0] == "*" or
                     len(self.sets[1]) == 24)

    def _item(self, item, field, values):
        low, high = RANGES[field]
        if field == 2 and item.upper() == "L":
            self.special.append(("last day", None, None))
        elif field == 4 and "#" in item:
            day, nth = item.split("#")
            self.special.append(("weekday", number(day, 4) % 7, int(nth)))
        elif field == 4 and item.upper().endswith("L"):
            self.special.append(("weekday", number(item[:-1], 4) % 7, "last"))
        else:
            body, _, step = item.partition("/")
            if body == "*":
                first, last = low, 6 if field == 4 else high
            elif "-" in body:
                first, last = (number(part, field) for part in body.split("-"))
                if last < first and field == 4:
                    last += 7
            else:
                first = number(body, field)
                last = (6 if field == 4 else high) if step else first
            values.update(range(first, last + 1, int(step or 1)))

    def day(self, date):
        if date.month not in self.sets[3]:
            return False
        length = calendar.monthrange(date.year, date.month)[1]
        weekday = (date.weekday() + 1) % 7
        by_date = date.day in self.sets[2]
        by_weekday = weekday in self.sets[4]
        for kind, day, nth in self.special:
            if kind == "last day":
                by_date |= date.day == length
            elif day == weekday:
                by_weekday |= date.day > length - 7 if nth == "last" else (date.day + 6) // 7 == nth
        if self.fields[2][0] == "*" or self.fields[4][0] == "*":
            return by_date and by_weekday
        return by_date or by_weekday

    def local(self, time):
        return time.minute in self.sets[0] and time.hour in self.sets[1] and self.day(time)


def end_of_gap(naive, zone):
    """The instant at which the clocks of the zone jumped over this local time."""
    early = (naive - dt.timedelta(days=2)).replace(tzinfo=UTC)
    late = (naive + dt.timedelta(days=2)).replace(tzinfo=UTC)
    step = dt.timedelta(minutes=15)
    at = early
    while at < late:
        before = at.astimezone(zone).replace(tzinfo=None)
        after = (at + step).astimezone(zone).replace(tzinfo=None)
        if before < naive < after and after - before > step:
            while True:  # to the second
                half = step / 2
                middle = (at + half).astimezone(zone).replace(tzinfo=None)
                if middle > naive:
                    after, step = middle, half
                else:
                    at, step = at + half, step - half
                if step <= dt.timedelta(seconds=1):
                    return (at + step).replace(microsecond=0)
        at += step
    raise AssertionError(f"no gap at {naive} in {zone}")


def expected(text, zone, start, end):
    """Every instant in (start, end], in UTC."""
    expression = Expression(text)
    found = set()
    if expression.wild:
        at = start.replace(second=0, microsecond=0)
        while at <= end:
            if at > start and expression.local(at.astimezone(zone)):
                found.add(at)
            at += MINUTE
        return sorted(found)
    day = (start - dt.timedelta(days=2)).date()
    while day <= (end + dt.timedelta(days=2)).date():
        if expression.day(dt.datetime.combine(day, dt.time())):
            for hour in sorted(expression.sets[1]):
                for minute in sorted(expression.sets[0]):
                    naive = dt.datetime.combine(day, dt.time(hour, minute))
                    at = naive.replace(tzinfo=zone, fold=0).astimezone(UTC)
                    if at.astimezone(zone).replace(tzinfo=None) != naive:
                        at = end_of_gap(naive, zone)
                    if start < at <= end:
                        found.add(at)
        day += dt.timedelta(days=1)
    return sorted(found)


def ask(pipectl, text, zone, start, count):
    shown = subprocess.run([pipectl, "next", text, "--zone", zone, "--from", start, "-n", str(count)],
                           capture_output=True, text=True, timeout=60)
    if shown.returncode != 0:
        raise AssertionError(f"{text} in {zone}: {shown.stderr}")
    return shown.stdout.split()


def check_rows(pipectl, paths):
    rows = 0
    for path in paths:
        for line in open(path, encoding="utf-8"):
            if line.startswith("#") or not line.strip():
                continue
            text, zone, start, times = line.rstrip("\n").split("\t")
            times = times.split()
            first = dt.datetime.fromisoformat(start)
            last = dt.datetime.fromisoformat(times[-1])
            own = [at.astimezone(zoneinfo.ZoneInfo(zone)).isoformat()
                   for at in expected(text, zoneinfo.ZoneInfo(zone), first.astimezone(UTC), last)]
            assert own == times, f"{path}: {text} in {zone}: the table says {times}, here {own}"
            shown = ask(pipectl, text, zone, start, len(times))
            assert shown == times, f"{text} in {zone} from {start}: {shown}, not {times}"
            rows += 1
    return rows


ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo",
         "Asia/Tehran", "Africa/Casablanca", "Europe/Dublin", "Pacific/Apia", "America/St_Johns",
         "Asia/Kathmandu", "America/Nuuk", "Antarctica/Troll", "Pacific/Chatham", "Africa/Cairo"]


def random_field(rng, field, star):
    low, high = RANGES[field]
    roll = rng.random()
    if roll < star:
        return "*"
    if roll < star + 0.12:
        return f"*/{rng.randint(2, max(2, high // 3))}"
    if roll < star + 0.3:
        first = rng.randint(low, high - 1)
        last = rng.randint(first + 1, high)
        return f"{first}-{last}" + (f"/{rng.randint(1, 4)}" if rng.random() < 0.4 else "")
    if roll < star + 0.45:
        return ",".join(str(rng.randint(low, high)) for _ in range(rng.randint(2, 4)))
    if field == 4 and rng.random() < 0.3:
        return f"{rng.choice(DAYS)}#{rng.randint(1, 5)}"
    if field == 4 and rng.random() < 0.2:
        return f"{rng.randint(0, 7)}L"
    if field == 2 and rng.random() < 0.2:
        return "L"
    return str(rng.randint(low, high))


def random_expression(rng):
    return " ".join([random_field(rng, 0, 0.15), random_field(rng, 1, 0.3),
                     random_field(rng, 2, 0.6), random_field(rng, 3, 0.8),
                     random_field(rng, 4, 0.6)])


def changes(zone, rng):
    """Days around changes of the offset between 1990 and 2090."""
    found = []
    year = rng.randint(1990, 2090)
    at = dt.datetime(year, 1, 1, tzinfo=UTC)
    for _ in range(366):
        after = at + dt.timedelta(days=1)
        if at.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset():
            found.append(at)
        at = after
    return found or [dt.datetime(year, rng.randint(1, 12), 1, tzinfo=UTC)]


def check_random(pipectl, rng, cases):
    compared = 0
    for _ in range(cases):
        text, name = random_expression(rng), rng.choice(ZONES)
        zone = zoneinfo.ZoneInfo(name)
        start = rng.choice(changes(zone, rng)) - dt.timedelta(hours=rng.randint(0, 30),
                                                              minutes=rng.randint(0, 59))
        own = expected(text, zone, start, start + dt.timedelta(days=3))[:300]
        if not own:
            continue
        shown = ask(pipectl, text, name, start.isoformat(), len(own))
        want = [at.astimezone(zone).isoformat() for at in own]
        assert shown == want, f"{text} in {name} from {start}:\n{shown}\nnot\n{want}"
        compared += len(own)
    return compared


def check_offsets(pipectl, rng):
    compared = 0
    names = sorted(name for name in zoneinfo.available_timezones() if "/" in name)
    for name in rng.sample(names, min(60, len(names))):
        zone = zoneinfo.ZoneInfo(name)
        for _ in range(4):
            start = dt.datetime(rng.randint(1925, 2400), rng.randint(1, 12), rng.randint(1, 28),
                                rng.randint(0, 23), 7, tzinfo=UTC)
            shown = ask(pipectl, "@every 7d from 1925-01-01", name, start.isoformat(), 100)
            for text in shown:
                at = dt.datetime.fromisoformat(text)
                assert at.astimezone(zone).isoformat() == text, f"{name}: {text}"
                compared += 1
    return compared


def check_croniter(pipectl, rng, cases):
    compared = 0
    for _ in range(cases):
        text = random_expression(rng)
        fields = text.split()
        # Which days `*/2` beside a weekday means, and steps from 7: not agreed upon.
        if fields[2].startswith("*/") or fields[4].startswith("*/") or "/" in fields[4]:
            continue
        start = dt.datetime(rng.randint(1990, 2035), rng.randint(1, 12), 5, 3, 11, tzinfo=UTC)
        try:
            times = croniter.croniter(text, start, day_or=True)
            own = [times.get_next(dt.datetime).isoformat() for _ in range(20)]
        except (croniter.CroniterError, KeyError, ValueError):
            continue
        shown = ask(pipectl, text, "UTC", start.isoformat(), 20)
        assert shown == own, f"{text} from {start}:\n{shown}\ncroniter:\n{own}"
        compared += 20
    return compared


def main():
    pipectl, tables = sys.argv[1], sys.argv[2:]
    rng = random.Random(7)
    print(f"{check_rows(pipectl, tables)} rows of tables")
    print(f"{check_random(pipectl, rng, 400)} instants of random expressions around changes")
    print(f"{check_offsets(pipectl, rng)} offsets")
    print(f"{check_croniter(pipectl, rng, 300)} instants of croniter")


if __name__ == "__main__":
    main()
