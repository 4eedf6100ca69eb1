/** The whole page: which part is shown, and what the document itself tells. */

import { useCallback, useEffect, useState } from "preact/hooks";
import type { Console } from "../console";
import type { Navigation } from "../navigation";
import { Bar } from "./bar";
import { useCommands } from "./commands";
import { ConsoleContext, useConsole, useStrings } from "./context";
import { Detail } from "./detail";
import { Help, News, Notes, Unsent } from "./dialogs";
import { List } from "./list";
import { Checking, Login, Unavailable } from "./login";

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
  useEffect(() => navigation.follow((id) => console.visit(id)), [console, navigation]);
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

/** The page's title counts what is new; leaving with an unsent reply is asked about. */
function useDocument(): void {
  const console = useConsole();
  const strings = useStrings();
  const count = console.inbox.unread.value.size;
  useEffect(() => {
    document.title = count === 0 ? strings.console : `(${count}) ${strings.console}`;
  }, [count, strings]);
  useEffect(() => {
    const ask = (event: Event): void => {
      if (console.desk.hasUnsent()) event.preventDefault();
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
  const { inbox, desk, focus } = useConsole();
  const strings = useStrings();
  const [asking, setAsking] = useState(false);
  const ask = useCallback(() => setAsking(true), []);
  const { commands, search, composer } = useCommands(navigation, ask);
  const open = inbox.openId.value;
  const answer = (then: (id: string) => void) => (): void => {
    setAsking(false);
    if (open !== null) then(open);
  };
  return (
    <div class={open === null ? "desk" : "desk desk-open"}>
      {open !== null && (
        <button
          type="button"
          class="button skip"
          onClick={() => {
            focus.value = { on: "question", id: open };
          }}
        >
          {strings.skip}
        </button>
      )}
      <Bar operator={operator} />
      <List searchRef={search} />
      <Detail onBack={commands.close} onResolve={commands.resolve} composerRef={composer} />
      <Help />
      <Unsent
        open={asking}
        onClose={() => setAsking(false)}
        onSend={answer((id) => {
          desk.write(id, { resolveAfter: true });
          void desk.send(id);
        })}
        onDrop={answer((id) => void desk.resolve(id))}
      />
      <Notes />
      <News />
    </div>
  );
}
