/**
 * Markdown to what may be on the screen, by an allow-list over the syntax tree.
 *
 * Decides: paragraphs, emphasis, strong, code, lists, quotes, breaks and safe links become elements;
 * headings become a strong line; raw HTML is no HTML here, but the text it is; an image is named and never loaded.
 * Refuses: any other node, nesting deeper than 12, a text longer than 12,000 characters (cut, and said so by
 * an ellipsis). Nothing here makes HTML from text.
 */
import type { Nodes, Parents, Root } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import type { ComponentChildren, VNode } from "preact";
import { disabled } from "./constructs.ts";
import { safeLink } from "./links.ts";

export const LONGEST = 12_000;
export const DEEPEST = 12;

export interface RenderOptions {
  /** Draws a code block; the panel adds a copy button. */
  readonly code?: (text: string, language: string) => VNode;
  /** Where in the source the words stand that are to catch the eye. */
  readonly marked?: readonly [number, number] | undefined;
}

/** The syntax tree of a message, cut to a safe size. */
export function parseMarkdown(source: string): Root {
  const text = source.length > LONGEST ? `${source.slice(0, LONGEST)}…` : source;
  return fromMarkdown(tamed(text), { extensions: [disabled] });
}

/**
 * Lines that open absurdly many nested blocks would cost the parser more than the screen ever shows:
 * their opening marks are thinned first.
 */
function tamed(text: string): string {
  return text.replace(/^(?:[ \t]*(?:>|[-+*]|\d{1,9}[.)])[ \t]*){12,}/gm, (marks) =>
    marks.slice(0, DEEPEST),
  );
}

/** A message as Preact nodes. */
export function Markdown(props: { readonly source: string } & RenderOptions): VNode {
  return <>{children(parseMarkdown(props.source), props, 0)}</>;
}

/** A text with the part of it marked that is to catch the eye; all of it where its places are not known. */
function text({ value, position }: Of<"text">, { marked }: RenderOptions): ComponentChildren {
  const first = position?.start.offset;
  const last = position?.end.offset;
  if (!marked || first === undefined || last === undefined) return value;
  const from = Math.max(marked[0], first) - first;
  const to = Math.min(marked[1], last) - first;
  if (from >= to) return value;
  // An escape or an entity is shorter on the screen than in the source.
  if (value.length !== last - first) return <mark>{value}</mark>;
  return (
    <>
      {value.slice(0, from)}
      <mark>{value.slice(from, to)}</mark>
      {value.slice(to)}
    </>
  );
}

function children(parent: Parents, options: RenderOptions, depth: number): ComponentChildren[] {
  return parent.children.map((node) => draw(node, options, depth + 1));
}

type Drawer = (node: never, options: RenderOptions, depth: number) => ComponentChildren;
type Of<Kind extends Nodes["type"]> = Extract<Nodes, { type: Kind }>;

function link({ url, ...node }: Of<"link">, options: RenderOptions, depth: number): VNode {
  const href = safeLink(url);
  const words = children(node as Parents, options, depth);
  if (!href) return <>{words}</>;
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow">
      {words}
    </a>
  );
}

function list(node: Of<"list">, options: RenderOptions, depth: number): VNode {
  const items = node.children.map((item) => <li>{children(item, options, depth + 1)}</li>);
  if (!node.ordered) return <ul>{items}</ul>;
  return <ol start={node.start ?? 1}>{items}</ol>;
}

function image({ alt, url }: Of<"image">): ComponentChildren {
  const words = alt || url;
  const href = safeLink(url);
  if (!href) return words;
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow">
      {words}
    </a>
  );
}

function codeBlock(node: Of<"code">, options: RenderOptions): VNode {
  if (options.code) return options.code(node.value, node.lang ?? "");
  return (
    <pre>
      <code>{node.value}</code>
    </pre>
  );
}

function heading(node: Of<"heading">, options: RenderOptions, depth: number): VNode {
  return (
    <p>
      <strong>{children(node, options, depth)}</strong>
    </p>
  );
}

/** A list that is tight shows its items without paragraphs' space: the style sheet sees to that. */
const DRAWERS: { readonly [Kind in Nodes["type"]]?: Drawer } = {
  text,
  break: () => <br />,
  thematicBreak: () => <hr />,
  inlineCode: (node: Of<"inlineCode">) => <code>{node.value}</code>,
  code: codeBlock,
  image,
  link,
  list,
  heading,
  paragraph: (node: Of<"paragraph">, options, depth) => <p>{children(node, options, depth)}</p>,
  emphasis: (node: Of<"emphasis">, options, depth) => <em>{children(node, options, depth)}</em>,
  strong: (node: Of<"strong">, options, depth) => <strong>{children(node, options, depth)}</strong>,
  blockquote: (node: Of<"blockquote">, options, depth) => (
    <blockquote>{children(node, options, depth)}</blockquote>
  ),
};

function draw(node: Nodes, options: RenderOptions, depth: number): ComponentChildren {
  if (depth > DEEPEST) return plain(node);
  const drawer = DRAWERS[node.type];
  return drawer ? drawer(node as never, options, depth) : null;
}

/** The words of a node that nests too deep, without its marks. */
function plain(root: Nodes): string {
  const words: string[] = [];
  const pending: Nodes[] = [root];
  for (let node = pending.pop(); node; node = pending.pop()) {
    if ("children" in node) pending.push(...[...node.children].reverse());
    else if ("value" in node) words.push(node.value);
  }
  return words.join("");
}
