/** The mark, a half-round window, and the few signs that the panel uses; all drawn in the text's colour. */
import type { VNode } from "preact";

const CENTRE = { x: 12, y: 18 };
const OUTER = 10;
const HUB = 3.4;
const PANES = [0, 1, 2, 3] as const;

function point(radius: number, quarter: number): string {
  const angle = Math.PI * (1 - quarter / PANES.length);
  const x = CENTRE.x + radius * Math.cos(angle);
  const y = CENTRE.y - radius * Math.sin(angle);
  return `${x.toFixed(2)} ${y.toFixed(2)}`;
}

function panePath(index: number): string {
  const [from, to] = [index, index + 1];
  return (
    `M${point(HUB, from)}L${point(OUTER, from)}A${OUTER} ${OUTER} 0 0 1 ${point(OUTER, to)}` +
    `L${point(HUB, to)}A${HUB} ${HUB} 0 0 0 ${point(HUB, from)}Z`
  );
}

const PANE_PATHS = PANES.map(panePath);
const HUB_PATH = `M${point(HUB, 0)}A${HUB} ${HUB} 0 0 1 ${point(HUB, PANES.length)}Z`;

/** The window over the door; `lit` of its four panes show light. */
export function Fanlight({ lit = 0 }: { readonly lit?: number }): VNode {
  return (
    <svg class="fanlight" viewBox="0 2.5 24 24" aria-hidden="true">
      {PANE_PATHS.map((path, index) => (
        <path key={path} d={path} class={index < lit ? "pane lit" : "pane"} />
      ))}
      <path d={HUB_PATH} class={lit === PANES.length ? "pane lit" : "pane"} />
      <path d="M1 21h22" class="sill" />
    </svg>
  );
}

const SIGNS = {
  send: "M12 19V5M5.5 11.5 12 5l6.5 6.5",
  close: "M6 6l12 12M18 6 6 18",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  globe:
    "M3 12h18M12 3c2.5 2.6 3.8 5.6 3.8 9s-1.3 6.4-3.8 9c-2.5-2.6-3.8-5.6-3.8-9s1.3-6.4 3.8-9ZM21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0Z",
  device:
    "M8 3h8a1.5 1.5 0 0 1 1.5 1.5v15A1.5 1.5 0 0 1 16 21H8a1.5 1.5 0 0 1-1.5-1.5v-15A1.5 1.5 0 0 1 8 3ZM11 18h2",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.5 20c1-3.6 4-5.5 7.5-5.5s6.5 1.9 7.5 5.5",
  clear: "M5 7h14M10 7V4.5h4V7M7 7l.8 12.5h8.4L17 7",
  copy: "M9 8h9a1.5 1.5 0 0 1 1.5 1.5v9A1.5 1.5 0 0 1 18 20H9a1.5 1.5 0 0 1-1.5-1.5v-9A1.5 1.5 0 0 1 9 8ZM4.5 15V5.5A1.5 1.5 0 0 1 6 4h9",
  done: "M5 12.5l4.5 4.5L19 7.5",
  edit: "M5 19h3.2L18.5 8.7a1.6 1.6 0 0 0 0-2.3l-.9-.9a1.6 1.6 0 0 0-2.3 0L5 15.8ZM13.5 7.3l3.2 3.2",
  thumbUp:
    "M7.5 11 11 4.5c1.4 0 2.3 1 2.3 2.3L13 10h4.8c1.2 0 2 1 1.8 2.2l-1 6c-.2 1-1 1.8-2 1.8H7.5M7.5 11v9H4.5v-9Z",
  thumbDown:
    "M7.5 13 11 19.5c1.4 0 2.3-1 2.3-2.3L13 14h4.8c1.2 0 2-1 1.8-2.200l-1-6c-.2-1-1-1.8-2-1.8H7.5M7.5 13V4H4.5v9Z",
  speak: "M4 9.5v5h3.5L12 18.5v-13L7.5 9.5ZM15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a7.8 7.8 0 0 1 0 11",
  down: "M12 5v14M5.5 12.5 12 19l6.5-6.5",
} as const;

export type Sign = keyof typeof SIGNS;

export function Icon({ sign }: { readonly sign: Sign }): VNode {
  return (
    <svg class={`icon icon-${sign}`} viewBox="0 0 24 24" aria-hidden="true">
      <path d={SIGNS[sign]} />
    </svg>
  );
}

export function StopIcon(): VNode {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <rect class="solid" x="5.5" y="5.5" width="13" height="13" rx="2.5" />
    </svg>
  );
}
