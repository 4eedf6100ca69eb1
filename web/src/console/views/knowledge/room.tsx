/** The knowledge room: its head, and the page that is chosen. */

import type { Navigation } from "../../navigation";
import { Loading, Unreached } from "../absent";
import { useConsole, useStrings } from "../context";
import { Check } from "./check";
import { useAddress, useCommands } from "./commands";
import { Editor } from "./editor";
import { Head } from "./head";
import { Importer } from "./importer";
import { Entries } from "./list";
import { Trial } from "./trial";
import { UnansweredPage } from "./unanswered";

export function KnowledgeRoom({ navigation }: { navigation: Navigation }) {
  const { knowledge } = useConsole();
  const { commands, search, trial } = useCommands(navigation);
  useAddress(navigation);
  const { page } = knowledge.place.value;
  if (knowledge.site.value === null) return <Absent />;
  return (
    <>
      <Head />
      {page === "entries" && (
        <main class="contents">
          <Entries searchRef={search} />
          <div class="detail">
            <div class="bench">
              <Editor onBack={commands.close} />
              <Trial fieldRef={trial} />
            </div>
          </div>
        </main>
      )}
      {page === "unanswered" && <UnansweredPage />}
      {page === "check" && <Check />}
      {page === "import" && <Importer />}
    </>
  );
}

/** No site to show: not yet, not here, or not at all. */
function Absent() {
  const { knowledge } = useConsole();
  const { knowledge: words } = useStrings();
  const { value: trouble } = knowledge.sites.trouble;
  const { value: sites } = knowledge.sites.value;
  if (trouble?.status === 404) {
    return (
      <main class="blank blank-room">
        <p class="blank-title">{words.absentTitle}</p>
        <p>{words.absentBody}</p>
      </main>
    );
  }
  if (trouble !== null && sites === null) {
    const onAgain = () => void knowledge.load();
    const told = { title: words.failedTitle, again: words.again };
    return <Unreached {...told} trouble={trouble} onAgain={onAgain} />;
  }
  if (sites === null) return <Loading text={words.loading} />;
  const unknown = sites.length > 0;
  return (
    <main class="blank blank-room">
      <p class="blank-title">{unknown ? words.unknownSite : words.none}</p>
      <p>{unknown ? words.unknownSiteBody : words.noneBody}</p>
    </main>
  );
}
