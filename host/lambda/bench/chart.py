"""Draws figures as an SVG that reads on light and on dark pages. Standard library only.

usage: chart.py FIGURES SVG TITLE MEMBER:DIGITS:HEAD...     with a panel for each member of a figure
"""

import json
import sys
from html import escape

ROW, HEAD, LABEL, PANEL, GAP = 26, 34, 160, 190, 18

STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .head { font-weight: 600 }
  .ours { fill: #2f6fdb }
  .other { fill: #a8b1bb }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .ours { fill: #6ea8fe }
    .other { fill: #5b6570 }
  }
"""


def chart(figures, title, panels):
    width = LABEL + len(panels) * (PANEL + GAP)
    height = HEAD + ROW * len(figures) + 6
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">'
    yield f"<title>{escape(title)}</title>"
    yield f"<style>{STYLE}</style>"
    for row, figure in enumerate(figures):
        yield f'<text x="0" y="{HEAD + ROW * row + 17}">{escape(figure["host"])}</text>'
    for column, (member, digits, head) in enumerate(panels):
        left = LABEL + column * (PANEL + GAP)
        most = max(figure[member] for figure in figures)
        yield f'<text class="head" x="{left}" y="18">{escape(head)}</text>'
        for row, figure in enumerate(figures):
            length = max(2, figure[member] / most * (PANEL - 50))
            kind = "ours" if figure["host"].startswith("cogwit") else "other"
            top = HEAD + ROW * row
            yield f'<rect class="{kind}" x="{left}" y="{top + 4}" width="{length:.1f}" height="{ROW - 9}" rx="2"/>'
            yield f'<text x="{left + length + 6:.1f}" y="{top + 17}">{figure[member]:.{digits}f}</text>'
    yield "</svg>"


figures, svg, title, *panels = sys.argv[1:]
with open(figures) as file:
    read = json.load(file)
with open(svg, "w") as out:
    out.write("\n".join(chart(read["figures"], title, [panel.split(":", 2) for panel in panels])) + "\n")
