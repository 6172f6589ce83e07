#!/usr/bin/env python3
"""Writes the table that the data benches and reports use: taxi-like rows of 18 columns.

usage: rows.py FOLDER [--rows N] [--days D] [--shift] [--csv] [--parquet]

One million rows are 141 MB as CSV and 73 MB as Parquet: a unique text, 7 integers, 8 floats (4 of them with
4 to 6 % missing), 2 texts of 7 and 100 values.  The same arguments give the same bytes.  --days cuts the rows
into D files of equal size; --shift moves fares, payments and missing places, for comparisons.
"""
import argparse
import os

import numpy as np
import pandas as pd

PAYMENTS = ["Cash", "Credit Card", "Mobile", "Prcard", "No Charge", "Unknown", "Dispute"]
CABS = ["Flash", "Blue Ribbon", "Sun", "City Service", "Star North"]
YEAR = 366 * 86400


def missing(random, values, share):
    values = values.astype(float)
    values[random.random(len(values)) < share] = np.nan
    return values


def make(count, seed=7, shift=False):
    random = np.random.default_rng(seed)
    high, low = random.integers(0, 2**62, count), random.integers(0, 2**32, count)
    miles = np.round(random.gamma(1.3, 3.0, count), 2)
    seconds = (miles * random.uniform(120, 320, count) + 60).astype(int)
    fare = np.round((3.25 + 2.25 * miles + random.normal(0, 1, count).clip(-2, 5)) * (1.2 if shift else 1), 2)
    tips = np.round(np.where(random.random(count) < 0.4, fare * random.uniform(0.1, 0.3, count), 0), 2)
    start = 1_577_836_800 + random.integers(0, YEAR, count)
    cash = [0.45, 0.38, 0.1, 0.03, 0.01, 0.02, 0.01] if not shift else [0.3, 0.4, 0.23, 0.03, 0.01, 0.02, 0.01]
    place = lambda middle, spread, share: missing(random, np.round(random.normal(middle, spread, count), 6), share)
    return pd.DataFrame({
        "trip_id": [f"{a:016x}{b:08x}" for a, b in zip(high, low)],
        "taxi_no": random.integers(1, 6000, count),
        "trip_start_timestamp": start,
        "trip_start_hour": (start // 3600) % 24,
        "trip_start_day": (start // 86400 + 3) % 7 + 1,
        "trip_start_month": random.integers(1, 13, count),
        "trip_seconds": seconds,
        "trip_miles": miles,
        "fare": fare,
        "tips": tips,
        "pickup_latitude": place(41.9, 0.06, 0.15 if shift else 0.04),
        "pickup_longitude": place(-87.65, 0.05, 0.04),
        "dropoff_latitude": place(41.9, 0.06, 0.06),
        "dropoff_longitude": place(-87.65, 0.05, 0.06),
        "pickup_community_area": random.integers(1, 78, count),
        "trip_total": np.round(fare + tips, 2),
        "payment_type": np.array(PAYMENTS)[random.choice(7, count, p=cash)],
        "company": np.array([f"{CABS[i % 5]} Cab Co {i:02d}" for i in range(100)])[
            (random.zipf(1.4, count) - 1) % 100],
    })


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1])
    parser.add_argument("folder")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=1)
    parser.add_argument("--shift", action="store_true")
    parser.add_argument("--csv", action="store_true")
    parser.add_argument("--parquet", action="store_true")
    wanted = parser.parse_args()
    os.makedirs(wanted.folder, exist_ok=True)
    table = make(wanted.rows, 11 if wanted.shift else 7, wanted.shift)
    each = -(-wanted.rows // wanted.days)
    for day in range(wanted.days):
        name = f"{wanted.folder}/rows" + (f"-{day:03d}" if wanted.days > 1 else "")
        part = table.iloc[day * each:(day + 1) * each]
        if wanted.csv:
            part.to_csv(name + ".csv", index=False)
        if wanted.parquet:
            part.to_parquet(name + ".parquet", index=False)


if __name__ == "__main__":
    main()
