/** The whole page: which part is shown, and what the document itself tells. */

import { useEffect } from "preact/hooks";
import type { Console } from "../console";
import { nameOf } from "../knowledge/form";
import type { Navigation, Place } from "../navigation";
import { Bar } from "./bar";
import { ConsoleContext, useConsole, useStrings } from "./context";
import { Help, News, Notes, Warnings } from "./dialogs";
import { EmbedRoom } from "./embed/room";
import { FiguresRoom } from "./figures/room";
import { InboxRoom } from "./inbox";
import { KnowledgeNotes } from "./knowledge/notes";
import { KnowledgeRoom } from "./knowledge/room";
import { Checking, Login, Unavailable } from "./login";
import { PersonalityNotes } from "./personality/notes";
import { PersonalityRoom } from "./personality/room";

export interface AppProps {
  readonly console: Console;
  readonly navigation: Navigation;
}

export function App({ console, navigation }: AppProps) {
  return (
    <ConsoleContext.Provider value={console}>
      <Gate navigation={navigation} />
    </ConsoleContext.Provider>
  );
}

function Gate({ navigation }: { navigation: Navigation }) {
  const console = useConsole();
  const phase = console.session.phase.value;
  useDocument();
  useEffect(() => navigation.follow((place) => console.visit(place)), [console, navigation]);
  switch (phase.name) {
    case "checking":
      return <Checking />;
    case "unavailable":
      return <Unavailable />;
    case "out":
      return <Login ended={phase.ended} />;
    case "in":
      return <Desk operator={phase.operator} navigation={navigation} />;
  }
}

/** The page's title counts what is new; leaving with unsent or unsaved text is asked about. */
function useDocument(): void {
  const console = useConsole();
  const strings = useStrings();
  const count = console.inbox.unread.value.size;
  const room = console.room.value;
  useEffect(() => {
    const name = room === "inbox" ? strings.console : strings.titled(strings.bar[room]);
    document.title = count === 0 ? name : `(${count}) ${name}`;
  }, [count, room, strings]);
  useEffect(() => {
    const ask = (event: Event): void => {
      if (console.hasUnsaved()) event.preventDefault();
    };
    const network = (): void => console.networkChanged();
    window.addEventListener("beforeunload", ask);
    window.addEventListener("online", network);
    window.addEventListener("offline", network);
    return () => {
      window.removeEventListener("beforeunload", ask);
      window.removeEventListener("online", network);
      window.removeEventListener("offline", network);
    };
  }, [console]);
}

function Desk({ operator, navigation }: { operator: string; navigation: Navigation }) {
  const console = useConsole();
  const room = console.room.value;
  return (
    <div class={`desk${layout(console.lastPlace(room))}`}>
      <Skip />
      <Bar operator={operator} />
      {room === "inbox" && <InboxRoom navigation={navigation} />}
      {room === "knowledge" && <KnowledgeRoom navigation={navigation} />}
      {room === "embed" && <EmbedRoom navigation={navigation} />}
      {room === "figures" && <FiguresRoom navigation={navigation} />}
      {room === "personality" && <PersonalityRoom navigation={navigation} />}
      <Help />
      <div class="notes">
        <Warnings />
        <Notes />
        {room === "knowledge" && <KnowledgeNotes />}
        {room === "personality" && <PersonalityNotes />}
      </div>
      <News />
    </div>
  );
}

/** What the page's grid must know of the place. */
function layout(place: Place): string {
  if (place.room === "embed") return " desk-embed";
  if (place.room === "figures") return " desk-figures";
  if (place.room === "personality")
    return ` desk-personality${place.name === null ? "" : " desk-open"}`;
  const open = place.room === "inbox" ? place.id : place.entry;
  const page = place.room === "inbox" ? "" : ` desk-knowledge desk-${place.page}`;
  return `${page}${open === null ? "" : " desk-open"}`;
}

/** Leads past the list to what is open. */
function Skip() {
  const { focus, inbox, knowledge, personality, room } = useConsole();
  const strings = useStrings();
  const { entry } = knowledge.place.value;
  const id = {
    inbox: inbox.openId.value,
    knowledge: entry && nameOf(entry),
    personality: personality.name.value,
    embed: null,
    figures: null,
  }[room.value];
  if (id === null) return null;
  const says = {
    inbox: strings.skip,
    knowledge: strings.knowledge.skip,
    personality: strings.skipPersonality,
  };
  return (
    <button
      type="button"
      class="button skip"
      onClick={() => {
        focus.value = { on: room.value === "inbox" ? "question" : "entry", id };
      }}
    >
      {says[room.value as keyof typeof says]}
    </button>
  );
}
