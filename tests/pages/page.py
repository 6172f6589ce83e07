"""Looks at a page as a browser lays it out: headless Chromium, boxes measured by a script in the page.

A page is wrong if it asks for anything from elsewhere, prints an error, is wider than its window, has text that
is cut, lies over other text or has no size, or a drawing that is empty or leaves its frame.
"""
import json
import os
import re
import shutil
import subprocess
import tempfile

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
LOOK = r"""
<script>addEventListener('load', () => {
  const wrong = [], all = s => [...document.querySelectorAll(s)];
  const told = e => e.tagName + '.' + (e.getAttribute('class') || '') + ' "' +
      (e.textContent || '').trim().slice(0, 40) + '"';
  const root = document.documentElement;
  if (root.scrollWidth > innerWidth) wrong.push('the page is ' + root.scrollWidth + ' wide in ' + innerWidth);
  for (const e of all('h1,h2,p,td,th,b,span,text,.name,.value')) {
    const box = e.getBoundingClientRect(), empty = !e.textContent.trim();
    if (!empty && (box.width < 1 || box.height < 1)) wrong.push('no size: ' + told(e));
    const flows = getComputedStyle(e).display !== 'inline';
    if (flows && !e.closest('.scroll') && !(e instanceof SVGElement) && e.scrollWidth > e.clientWidth + 1 && e.clientWidth)
      wrong.push('cut: ' + told(e));
    if (!e.closest('.scroll') && (box.right > innerWidth + 1 || box.left < -1)) wrong.push('outside: ' + told(e));
  }
  const apart = (list, what) => list.forEach((a, i) => list.slice(i + 1, i + 6).forEach(b => {
    const x = a.getBoundingClientRect(), y = b.getBoundingClientRect();
    if (x.left < y.right - 1 && y.left < x.right - 1 && x.top < y.bottom - 1 && y.top < x.bottom - 1)
      wrong.push(what + ' overlap: ' + told(a) + ' and ' + told(b));
  }));
  apart(all('main > *'), 'blocks');
  apart(all('figcaption > *'), 'captions');
  for (const bar of all('.bar')) apart([...bar.children], 'parts of a bar');
  for (const card of all('.sides')) apart([...card.children], 'halves of a card');
  for (const svg of all('svg')) {
    const frame = svg.getBoundingClientRect(), drawn = [...svg.querySelectorAll('rect,polyline,circle')];
    if (!drawn.length || !frame.width || !frame.height) wrong.push('an empty drawing in ' + told(svg.closest('figure')));
    for (const e of svg.querySelectorAll('rect,text,path')) {
      const box = e.getBoundingClientRect();
      if (box.right > frame.right + 1 || box.left < frame.left - 1 || box.bottom > frame.bottom + 1 || box.top < frame.top - 1)
        wrong.push('a drawing leaves its frame: ' + told(e) + ' in ' + told(svg.closest('figure')));
    }
    apart([...svg.querySelectorAll('text')], 'words of a drawing');
  }
  for (const figure of all('figure')) if (figure.getBoundingClientRect().height < 20) wrong.push('empty: ' + told(figure));
  const note = document.createElement('pre');
  note.id = 'looked'; note.textContent = JSON.stringify({wrong, cards: all('.card').length, drawings: all('svg').length});
  document.body.append(note);
})</script></body>"""


def _chromium(folder, *words):
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
               "--disable-background-networking", "--disable-dev-shm-usage", "--enable-logging=stderr",
               f"--user-data-dir={folder}/profile", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL,
                          env=dict(os.environ, HOME=folder))


def look(path, widths=(1100, 700, 360)):
    """Everything that is wrong with the page, and what was seen of it: {"wrong", "cards", "drawings"}."""
    html = open(path, encoding="utf-8").read()
    seen = {"wrong": [], "cards": 0, "drawings": 0}
    if re.search(r"(?:src|href)\s*=|url\(|@import|<script|<link", html):
        seen["wrong"].append("it asks for something from elsewhere or runs a script")
    with tempfile.TemporaryDirectory() as folder:
        looked = os.path.join(folder, "page.html")
        with open(looked, "w", encoding="utf-8") as out:
            out.write(html.replace("</body>", LOOK))
        for width in widths:
            for scheme in (1, 0) if width == widths[0] else (1,):
                done = _chromium(folder, f"--window-size={width},900", "--virtual-time-budget=5000",
                                 f"--blink-settings=preferredColorScheme={scheme}", "--dump-dom",
                                 "file://" + looked)
                found = re.search(r'<pre id="looked">(.*?)</pre>', done.stdout, re.S)
                if not found:
                    seen["wrong"].append(f"at {width} it was not laid out: {done.stderr[-300:]}")
                    continue
                one = json.loads(found.group(1).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
                seen["wrong"] += [f"at {width}: {what}" for what in one.pop("wrong")[:10]]
                seen["wrong"] += [f"console: {line}" for line in done.stderr.splitlines() if "CONSOLE" in line]
                seen.update(one)
        paper = os.path.join(folder, "page.pdf")
        _chromium(folder, f"--print-to-pdf={paper}", "--no-pdf-header-footer", "file://" + path)
        if not os.path.exists(paper) or os.path.getsize(paper) < 5000:
            seen["wrong"].append("nothing comes out on paper")
    return seen


def picture(path, target, width=1100, height=1600, dark=False):
    """A screenshot, for people."""
    with tempfile.TemporaryDirectory() as folder:
        _chromium(folder, f"--window-size={width},{height}",
                  f"--blink-settings=preferredColorScheme={0 if dark else 1}", f"--screenshot={target}",
                  "file://" + os.path.abspath(path))
