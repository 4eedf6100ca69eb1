// @vitest-environment happy-dom
import { render } from "preact";
import { describe, expect, it } from "vitest";
import * as ours from "../../src/markdown/constructs.ts";
import { decodeNamedCharacterReference } from "../../src/markdown/entities.ts";
import { safeLink } from "../../src/markdown/links.ts";
import { DEEPEST, LONGEST, Markdown } from "../../src/markdown/render.tsx";
import { settle } from "../../src/markdown/streaming.ts";

function html(source: string, marked?: readonly [number, number]): string {
  const root = document.createElement("div");
  render(<Markdown source={source} marked={marked} />, root);
  return root.innerHTML;
}

describe("benign Markdown", () => {
  it.each([
    ["a paragraph", "<p>a paragraph</p>"],
    ["*a* **b** `c`", "<p><em>a</em> <strong>b</strong> <code>c</code></p>"],
    ["one\n\ntwo", "<p>one</p><p>two</p>"],
    ["a  \nb", "<p>a<br>b</p>"],
    ["# Title", "<p><strong>Title</strong></p>"],
    ["- a\n- b", "<ul><li><p>a</p></li><li><p>b</p></li></ul>"],
    ["3. a\n4. b", '<ol start="3"><li><p>a</p></li><li><p>b</p></li></ol>'],
    ["> q", "<blockquote><p>q</p></blockquote>"],
    ["---", "<hr>"],
    ["```js\nlet x;\n```", "<pre><code>let x;</code></pre>"],
    ["AT&amp;T &copy; &unknown; &#65;", "<p>AT&amp;T © &amp;unknown; A</p>"],
    ["\\*not em\\*", "<p>*not em*</p>"],
    ["שלום **עולם**", "<p>שלום <strong>עולם</strong></p>"],
  ])("%j", (source, expected) => {
    expect(html(source)).toBe(expected);
  });

  it.each([
    ["One. Two. Three.", "Two.", "<p>One. <mark>Two.</mark> Three.</p>"],
    [
      "One. **Two** here. Three.",
      "**Two** here.",
      "<p>One. <strong><mark>Two</mark></strong><mark> here.</mark> Three.</p>",
    ],
    ["- a\n- b c", "b c", "<ul><li><p>a</p></li><li><p><mark>b c</mark></p></li></ul>"],
    ["One. AT&amp;T. Three.", "AT&amp;T.", "<p><mark>One. AT&amp;T. Three.</mark></p>"],
    ["אחת. שתיים. שלוש.", "שתיים.", "<p>אחת. <mark>שתיים.</mark> שלוש.</p>"],
    ["🙂 One. Two.", "Two.", "<p>🙂 One. <mark>Two.</mark></p>"],
  ])("marks a sentence of %j", (source, sentence, expected) => {
    const start = source.indexOf(sentence);
    expect(html(source, [start, start + sentence.length])).toBe(expected);
  });

  it.each([[[0, 0]], [[900, 990]], [[-5, 0]]] as const)("marks nothing at %j", (place) => {
    expect(html("One.", place)).toBe("<p>One.</p>");
  });

  it("links open apart, and tell the other site nothing", () => {
    const link =
      '<a href="https://example.com/" target="_blank" rel="noopener noreferrer nofollow">';
    expect(html("[x](https://example.com)")).toBe(`<p>${link}x</a></p>`);
    expect(html("<https://example.com>")).toContain(link);
    expect(html("[x](mailto:a@example.com)")).toContain('href="mailto:a@example.com"');
  });

  it("code can be drawn by the caller", () => {
    const root = document.createElement("div");
    const code = (text: string, language: string) => <pre data-language={language}>{text}!</pre>;
    render(<Markdown source={"```js\nx\n```\n\n```\ny\n```"} code={code} />, root);
    expect(root.innerHTML).toBe('<pre data-language="js">x!</pre><pre data-language="">y!</pre>');
  });
});

const HOSTILE = [
  "<script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  "<svg onload=alert(1)>",
  "<iframe src=https://evil.example></iframe>",
  "<a href='javascript:alert(1)'>x</a>",
  "<style>*{display:none}</style>",
  "<!-- c --><b>x</b>",
  "<div\n onclick=alert(1)>x</div>",
  "[x](javascript:alert(1))",
  "[x](JaVaScRiPt:alert(1))",
  "[x](java&#115;cript:alert(1))",
  "[x](java\\script:alert(1))",
  "[x](\tjavascript:alert(1))",
  "[x](&#1;javascript:alert(1))",
  "[x](data:text/html,<script>alert(1)</script>)",
  "[x](data:text/html;base64,PHNjcmlwdD4=)",
  "[x](vbscript:msgbox(1))",
  "[x](file:///etc/passwd)",
  "[x](blob:https://example.com/1)",
  "[x](//evil.example)",
  "[x](/relative)",
  "[x](#fragment)",
  "[x](https://bank.example@evil.example)",
  "[x](https://user:pass@evil.example)",
  "[x](ftp://example.com)",
  "[x](intent://scan/#Intent;end)",
  "<javascript:alert(1)>",
  "[x]: javascript:alert(1)\n\n[x]",
  "![x](https://evil.example/pixel.gif)",
  "![](https://evil.example/pixel.gif)",
  "![x](data:image/svg+xml,<svg/onload=alert(1)>)",
  "![x](javascript:alert(1))",
  "![x][y]\n\n[y]: https://evil.example/p.gif",
  "[![x](https://evil.example/p.gif)](javascript:alert(1))",
  "`<script>`",
  "```html\n<script>alert(1)</script>\n```",
  '[x](https://example.com "onmouseover=alert(1)")',
  "[<img src=x onerror=alert(1)>](https://example.com)",
  "**<b onclick=x>**",
  "&lt;script&gt;alert(1)&lt;/script&gt;",
  "\u202ehttps://example.com\u202c",
  "\0<script\0>",
];

/** Everything that may be in the document, with everything that it may carry. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  P: [],
  EM: [],
  STRONG: [],
  CODE: [],
  PRE: [],
  UL: [],
  OL: ["start"],
  LI: [],
  BLOCKQUOTE: [],
  BR: [],
  HR: [],
  A: ["href", "target", "rel"],
};

function judge(source: string): void {
  const root = document.createElement("div");
  render(<Markdown source={source} />, root);
  for (const node of root.querySelectorAll("*")) {
    const allowed = ALLOWED[node.tagName];
    expect(allowed, `${source} made <${node.tagName}>`).toBeDefined();
    expect(node.getAttributeNames().filter((name) => !allowed?.includes(name))).toEqual([]);
    const href = node.getAttribute("href");
    if (href) expect(href).toMatch(/^(https?:\/\/[^@]*$|mailto:)/);
  }
}

describe("hostile Markdown", () => {
  it.each(HOSTILE)("%j makes only what is allowed", (source) => {
    judge(source);
    judge(`- > ${source}\n\n1. **${source}**`);
  });

  it("shows raw HTML as the text it is", () => {
    expect(html("<b>x</b>")).toBe("<p>&lt;b&gt;x&lt;/b&gt;</p>");
    expect(html("<div>\n*x*\n</div>")).toContain("&lt;div&gt;");
  });

  it("names an image, and never loads it", () => {
    expect(html("![a cat](https://example.com/cat.png)")).toBe(
      '<p><a href="https://example.com/cat.png" target="_blank" rel="noopener noreferrer nofollow">a cat</a></p>',
    );
    expect(html("![a cat](javascript:x)")).toBe("<p>a cat</p>");
  });

  it("keeps the words of a link that it refuses", () => {
    expect(html("[words](javascript:x)")).toBe("<p>words</p>");
  });

  it.each([
    ["quotes", ">".repeat(400)],
    ["quotes and lists", "> - ".repeat(400)],
    ["emphasis", `${"*a ".repeat(2000)}`],
    ["brackets", "[".repeat(5000)],
    ["images", "![".repeat(5000)],
    ["links", "[a](".repeat(3000)],
    ["ticks", Array.from({ length: 120 }, (_, n) => "`".repeat(n)).join(" ")],
    ["list items", "- a\n".repeat(3000)],
    ["steps", Array.from({ length: 100 }, (_, n) => `${" ".repeat(n * 2)}- a`).join("\n")],
  ])("survives absurdly many %s", (_name, source) => {
    const root = document.createElement("div");
    render(<Markdown source={source} />, root);
    let deepest = 0;
    for (const node of root.querySelectorAll("*")) {
      let depth = 0;
      for (let at = node; at !== root; at = at.parentElement as Element) depth += 1;
      deepest = Math.max(deepest, depth);
    }
    expect(deepest).toBeLessThanOrEqual(DEEPEST * 2);
  });

  it("keeps the words of what nests too deep", () => {
    const source = Array.from({ length: 10 }, (_, n) => `${"  ".repeat(n)}- w${n} *e${n}*`).join(
      "\n",
    );
    const root = document.createElement("div");
    render(<Markdown source={source} />, root);
    for (let n = 0; n < 10; n += 1) expect(root.textContent).toContain(`w${n} e${n}`);
  });

  it("cuts what is too long, and shows that it did", () => {
    expect(html("a".repeat(LONGEST + 1))).toBe(`<p>${"a".repeat(LONGEST)}…</p>`);
  });
});

describe("links", () => {
  it.each([
    ["https://example.com/a?b#c", "https://example.com/a?b#c"],
    ["HTTP://EXAMPLE.COM", "http://example.com/"],
    ["mailto:a@example.com", "mailto:a@example.com"],
    ["javascript:1", undefined],
    ["example.com", undefined],
    ["https://a@b.example", undefined],
    ["", undefined],
  ])("%j becomes %j", (address, expected) => {
    expect(safeLink(address)).toBe(expected);
  });
});

describe("Markdown that is still being written", () => {
  it.each([
    ["plain", "plain"],
    ["a **bol", "a **bol**"],
    ["a **", "a "],
    ["a *em", "a *em*"],
    ["a **b *c", "a **b *c***"],
    ["a `co", "a `co`"],
    ["a `", "a "],
    ["done **b** and *c*", "done **b** and *c*"],
    ["see [the gui", "see the gui"],
    ["see [the guide](https://ex", "see the guide"],
    ["see ![a pic](https://ex", "see a pic"],
    ["see [the guide](https://example.com)", "see [the guide](https://example.com)"],
    ["* item", "* item"],
    ["```js\nlet a = b * c", "```js\nlet a = b * c"],
    ["**first** line\nsecond **li", "**first** line\nsecond **li**"],
  ])("%j reads as %j", (source, expected) => {
    expect(settle(source)).toBe(expected);
  });
});

describe("the build's own tables", () => {
  it("decode only the names they know", () => {
    expect(decodeNamedCharacterReference("amp")).toBe("&");
    expect(decodeNamedCharacterReference("constructor")).toBe(false);
  });

  it("hold none of the refused constructs", () => {
    const { disabled, ...table } = ours;
    const names = JSON.stringify(table, (_key, value) =>
      typeof value === "function" ? undefined : value,
    );
    for (const refused of disabled.disable?.null ?? []) expect(names).not.toContain(`"${refused}"`);
    expect(names).toContain('"codeFenced"');
  });
});
