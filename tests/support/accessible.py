"""What axe-core finds on a page that keeps somebody from using it: serious and critical, each in a line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

AXE = Path(__file__).parents[2] / "static" / "node_modules" / "axe-core" / "axe.min.js"
KEEPS_OUT = ("serious", "critical")
RUN = """
async (levels) => {
  const { violations } = await window.axe.run(document, { resultTypes: ['violations'] });
  const why = ({ any, all, none }) => (any[0] ?? all[0] ?? none[0])?.message ?? '';
  return violations.filter((one) => levels.includes(one.impact)).flatMap((one) => one.nodes.map(
    (node) => [one.id, node.target.flat().join(' '), node.html.slice(0, 160), why(node)]));
}
"""


def findings(page: Page) -> list[str]:
    """Of the page as it stands. The script goes in past the page's own policy, which lets nothing in."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[list[Any]] = page.evaluate(RUN, list(KEEPS_OUT))
    return [" | ".join(str(part) for part in one) for one in found]
