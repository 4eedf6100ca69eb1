/**
 * The chat itself, in a frame, as wide as on a screen of the size that is chosen.
 *
 * The frame's page stands on the visitors' origin. It is told each choice, and says when it is there; one that
 * says nothing cannot be reached.
 */

import { useEffect, useRef, useState } from "preact/hooks";
import { type Choices, chosen, SCREENS, type Screen } from "../../embed/choices";
import type { EmbedSite } from "../../embed/wire";
import { useConsole, useStrings } from "../context";
import { Segments } from "./chooser";

const SIZES: Record<Screen, readonly [width: number, height: number]> = {
  desktop: [1024, 720],
  phone: [390, 720],
};
const PATIENCE_MS = 12_000;

type State = "waiting" | "here" | "late";

export function Preview({ site }: { site: EmbedSite }) {
  const { embed } = useConsole();
  const { preview: words } = useStrings().embed;
  const [turn, setTurn] = useState(0);
  const { value: place } = embed.place;
  return (
    <section class="preview-room" aria-labelledby="embed-preview">
      <div class="preview-head">
        <h3 id="embed-preview">{words.title}</h3>
        <Segments
          name="screen"
          label={words.screen}
          options={SCREENS.map((value) => [value, words.screens[value]] as const)}
          value={place.screen}
          onChoose={(screen) => embed.visit({ ...embed.place.value, screen })}
        />
      </div>
      <Stage key={turn} site={site} screen={place.screen} onAgain={() => setTurn(turn + 1)} />
      <p class="hint">{words.note}</p>
    </section>
  );
}

interface StageProps {
  readonly site: EmbedSite;
  readonly screen: Screen;
  readonly onAgain: () => void;
}

function Stage({ site, screen, onAgain }: StageProps) {
  const { embed } = useConsole();
  const { preview: words } = useStrings().embed;
  const { choices } = embed.place.value;
  const box = useRef<HTMLDivElement>(null);
  const frame = useRef<HTMLIFrameElement>(null);
  const state = useFrame(frame, site, choices);
  const scale = useScale(box, SIZES[screen][0]);
  const [width, height] = SIZES[screen];
  // Its first address says it all; what comes later is told to it, so that it leaves no step in the history.
  const [source] = useState(() => `${site.preview}#${new URLSearchParams(look(choices))}`);
  return (
    <div ref={box} class={`stage stage-${screen}`} style={{ height: `${height * scale}px` }}>
      {state !== "here" && <Waiting state={state} site={site} onAgain={onAgain} />}
      <iframe
        ref={frame}
        class="stage-frame"
        title={words.frame}
        src={source}
        style={{ width: `${width}px`, height: `${height}px`, transform: `scale(${scale})` }}
      />
    </div>
  );
}

function Waiting({ state, site, onAgain }: Omit<StageProps, "screen"> & { state: State }) {
  const { preview: words } = useStrings().embed;
  if (state === "waiting") {
    return (
      <p class="stage-word" role="status">
        {words.loading}
      </p>
    );
  }
  return (
    <div class="stage-word" role="alert">
      <p class="blank-title">{words.late(new URL(site.preview).origin)}</p>
      <p>{words.lateBody}</p>
      <button type="button" class="button" onClick={onAgain}>
        {words.again}
      </button>
    </div>
  );
}

/** What the preview shows of the choices. */
function look({ locale, position, accent, theme }: Choices): Record<string, string> {
  return chosen({ locale, position, accent, theme, page: "" });
}

/** Tells the frame each choice, and hears whether it is there. */
function useFrame(
  frame: { readonly current: HTMLIFrameElement | null },
  site: EmbedSite,
  choices: Choices,
): State {
  const { after } = useConsole().ports;
  const [state, setState] = useState<State>("waiting");
  const { origin } = new URL(site.preview);
  const told = JSON.stringify(look(choices));
  useEffect(() => {
    const hear = (event: MessageEvent): void => {
      if (event.source !== frame.current?.contentWindow || event.origin !== origin) return;
      if (event.data?.fanlight_preview === 1) setState("here");
    };
    window.addEventListener("message", hear);
    const cancel = after(PATIENCE_MS, () => setState((was) => (was === "waiting" ? "late" : was)));
    return () => {
      window.removeEventListener("message", hear);
      cancel();
    };
  }, [frame, origin, after]);
  useEffect(() => {
    if (state !== "here") return;
    const message = { fanlight_preview: 1, ...JSON.parse(told) };
    frame.current?.contentWindow?.postMessage(message, origin);
  }, [frame, origin, state, told]);
  return state;
}

/** How much smaller than it is the frame must be drawn to fit. */
function useScale(box: { readonly current: HTMLDivElement | null }, width: number): number {
  const [room, setRoom] = useState(width);
  useEffect(() => {
    const { current } = box;
    if (current === null) return undefined;
    const observer = new ResizeObserver(() => setRoom(current.clientWidth));
    observer.observe(current);
    return () => observer.disconnect();
  }, [box]);
  return Math.min(1, room / width);
}
