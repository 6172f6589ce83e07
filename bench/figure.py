"""One figure: a row of the output."""
import json
import statistics


def figure(area, name, value, unit, target, met, peer="", peer_value=None):
    """`met` is None where the figure has no target."""
    return {"area": area, "name": name, "value": value, "unit": unit, "target": target, "met": met,
            "peer": peer, "peer_value": peer_value}


def median(values):
    return statistics.median(values)


def median_ratio(ours, theirs):
    """The median of the ratios of what was measured side by side."""
    return statistics.median(a / b for a, b in zip(ours, theirs))


def short(value):
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def text(row):
    met = {True: "met", False: "NOT MET", None: ""}[row["met"]]
    peer = f"{row['peer']} {short(row['peer_value'])}" if row["peer"] else ""
    return f"{row['area']:8} {row['name']:58} {short(row['value']):>9} {row['unit']:8} " \
           f"{row['target']:24} {met:8} {peer}".rstrip()


def line(row, as_json):
    return json.dumps(row, ensure_ascii=False) if as_json else text(row)
