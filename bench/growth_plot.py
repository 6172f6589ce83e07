"""Draws the results of bench/growth: three panels over the number of steps, both axes logarithmic."""
import csv
import math

WIDTH, HEIGHT, LEFT, TOP, GAP = 300, 200, 62, 34, 84
INK, GRID, LINE = "#24292f", "#d0d7de", "#0969da"


def read(path):
    with open(path, encoding="utf-8") as file:
        return [{key: value if key == "date" else float(value) for key, value in row.items()}
                for row in csv.DictReader(file, delimiter="\t")]


def _panels(rows):
    """Title and one (steps, value) a size; flat means that the cost grows in proportion."""
    return (
        ("a step of a run, ms", [(r["steps"], r["run_s"] / r["steps"] * 1e3) for r in rows]),
        ("a step with nothing to do, µs", [(r["steps"], r["again_s"] / r["steps"] * 1e6) for r in rows]),
        ("memory of the daemon, MB", [(r["steps"], r["memory_mb"]) for r in rows]),
    )


def _short(value):
    for size, word in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g} {word}"
    return f"{value:g}"


def _decades(values):
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def _panel(index, title, points):
    left, bottom = LEFT + index * (WIDTH + GAP), TOP + HEIGHT
    low_x, high_x = _decades([x for x, _ in points])
    low_y, high_y = _decades([y for _, y in points])
    at_x = lambda x: left + (math.log10(x) - low_x) / (high_x - low_x) * WIDTH
    at_y = lambda y: bottom - (math.log10(y) - low_y) / (high_y - low_y) * HEIGHT
    out = [f'<text x="{left}" y="{TOP - 14}" font-weight="600">{title}</text>']
    for power in range(low_y, high_y + 1):
        y = at_y(10 ** power)
        out.append(f'<line x1="{left}" y1="{y:.1f}" x2="{left + WIDTH}" y2="{y:.1f}" stroke="{GRID}"/>')
        out.append(f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{_short(10 ** power)}</text>')
    for power in range(low_x, high_x + 1):
        x = at_x(10 ** power)
        out.append(f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{bottom}" stroke="{GRID}"/>')
        out.append(f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{_short(10 ** power)}</text>')
    path = " ".join(f"{at_x(x):.1f},{at_y(y):.1f}" for x, y in points)
    out.append(f'<polyline points="{path}" fill="none" stroke="{LINE}" stroke-width="2"/>')
    for x, y in points:
        out.append(f'<circle cx="{at_x(x):.1f}" cy="{at_y(y):.1f}" r="3.5" fill="{LINE}">'
                   f'<title>{x:,.0f} steps: {y:.3g}</title></circle>')
    last_x, last_y = points[-1]
    out.append(f'<text x="{at_x(last_x) - 6:.1f}" y="{at_y(last_y) - 9:.1f}" text-anchor="end" '
               f'fill="{LINE}">{last_y:.3g}</text>')
    return out


def draw(rows):
    """An SVG document."""
    panels = _panels(rows)
    width = LEFT + len(panels) * (WIDTH + GAP) - GAP + 20
    height = TOP + HEIGHT + 48
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
           f'font-family="system-ui, sans-serif" font-size="12" fill="{INK}">',
           f'<rect width="{width}" height="{height}" fill="#ffffff"/>']
    for index, (title, points) in enumerate(panels):
        out += _panel(index, title, points)
    out.append(f'<text x="{width / 2}" y="{height - 8}" text-anchor="middle">steps of the run '
               f'({rows[-1]["date"]}, {rows[-1]["cpus"]:g} processors)</text>')
    return "\n".join(out + ["</svg>"]) + "\n"
