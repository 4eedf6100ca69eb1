/** The inbox: the list of escalations beside the one that is open. */

import { useCallback, useState } from "preact/hooks";
import type { Navigation } from "../navigation";
import { useCommands } from "./commands";
import { useConsole } from "./context";
import { Detail } from "./detail";
import { Unsent } from "./dialogs";
import { List } from "./list";

export function InboxRoom({ navigation }: { navigation: Navigation }) {
  const { inbox, desk } = useConsole();
  const [asking, setAsking] = useState(false);
  const ask = useCallback(() => setAsking(true), []);
  const { commands, search, composer } = useCommands(navigation, ask);
  const open = inbox.openId.value;
  const answer = (then: (id: string) => void) => (): void => {
    setAsking(false);
    if (open !== null) then(open);
  };
  return (
    <>
      <List searchRef={search} />
      <Detail onBack={commands.close} onResolve={commands.resolve} composerRef={composer} />
      <Unsent
        open={asking}
        onClose={() => setAsking(false)}
        onSend={answer((id) => {
          desk.write(id, { resolveAfter: true });
          void desk.send(id);
        })}
        onDrop={answer((id) => void desk.resolve(id))}
      />
    </>
  );
}
