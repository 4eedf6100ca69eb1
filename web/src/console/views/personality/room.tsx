/** The room in which one says how the chat speaks: the list, and beside it what is open. */

import type { Navigation } from "../../navigation";
import { PERSONALITY, personalityAddress } from "../../personality/place";
import { Loading, Unreached } from "../absent";
import { useConsole } from "../context";
import { useAddress, useCommands } from "./commands";
import { usePersonalityWords, useSpoken } from "./context";
import { Editor } from "./editor";
import { List } from "./list";
import { Preview } from "./preview";

export function PersonalityRoom({ navigation }: { navigation: Navigation }) {
  const { personality } = useConsole();
  const spoken = useSpoken();
  useCommands(navigation);
  useAddress(navigation);
  if (personality.site.value === null || personality.items.value === null) return <Absent />;
  return (
    <main class="manner-room" {...spoken}>
      <List />
      <div class="detail">
        <div class="manner">
          <Editor />
          <Preview />
        </div>
      </div>
    </main>
  );
}

/** Nothing to show: not yet, not reachable, or not there. */
function Absent() {
  const { personality } = useConsole();
  const words = usePersonalityWords();
  const spoken = useSpoken();
  const { value: sites } = personality.sites.value;
  const trouble = personality.sites.trouble.value ?? personality.shown.trouble.value;
  if (trouble?.status === 404) {
    return (
      <main class="blank blank-room" {...spoken}>
        <p class="blank-title">{words.absentTitle}</p>
        <p>{words.absentBody}</p>
      </main>
    );
  }
  if (trouble !== null) {
    const onAgain = () => void personality.load();
    const told = { title: words.failedTitle, again: words.again, ...spoken };
    return <Unreached {...told} trouble={trouble} onAgain={onAgain} />;
  }
  if (sites === null || personality.site.value !== null) {
    return <Loading text={words.loading} {...spoken} />;
  }
  const unknown = sites.length > 0;
  return (
    <main class="blank blank-room" {...spoken}>
      <p class="blank-title">{unknown ? words.unknownSite : words.noSite}</p>
      <p>{unknown ? words.unknownSiteBody : words.noSiteBody}</p>
      {unknown && (
        <a class="button" href={personalityAddress(PERSONALITY)}>
          {words.first}
        </a>
      )}
    </main>
  );
}
