/** Elements by DOM calls alone: a host page under Trusted Types refuses HTML made from text. */

const SVG = "http://www.w3.org/2000/svg";

export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  className: string,
  ...children: readonly Node[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  made.className = className;
  made.append(...children);
  return made;
}

export function drawing(className: string, path: string): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", className);
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

/** The half-round window over a door. */
export const MARK =
  "M2 15.5a10 10 0 0 1 20 0ZM8.6 15.5a3.4 3.4 0 0 1 6.8 0M12 12.1V5.5M9.6 13.1 4.9 8.4M14.4 13.1l4.7-4.7M1 18.5h22";
export const DOWN = "M6 9.5l6 6 6-6";
