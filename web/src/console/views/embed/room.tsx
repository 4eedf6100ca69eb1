/** The builder: choices beside what they look like, and below it what to paste. */

import { useEffect, useMemo } from "preact/hooks";
import { EMBED } from "../../embed/choices";
import { address, type Navigation } from "../../navigation";
import { Loading, Unreached } from "../absent";
import { everywhere, useKeys } from "../commands";
import { useConsole, useStrings } from "../context";
import { Chooser } from "./chooser";
import { Output } from "./output";
import { Preview } from "./preview";

export function EmbedRoom({ navigation }: { navigation: Navigation }) {
  const console = useConsole();
  const { embed: words } = useStrings();
  useKeys(useMemo(() => everywhere(console, navigation), [console, navigation]));
  useAddress(navigation);
  const { value: site } = console.embed.site;
  if (site === null) return <Absent />;
  return (
    <main class="builder">
      <div class="builder-side">
        <h2>{words.title}</h2>
        <p class="page-lead">{words.lead}</p>
        <Chooser site={site} />
      </div>
      <div class="builder-main">
        <Preview key={site.site} site={site} />
        <Output />
      </div>
    </main>
  );
}

/** Keeps the address bar at the place. What is picked is a step in the history, what is typed is none. */
function useAddress(navigation: Navigation): void {
  const { embed } = useConsole();
  const { value: seen } = embed.place;
  useEffect(() => {
    // As it is by now: of two steps back in a row the first is not to be written over the second.
    const place = embed.place.peek();
    if (place === embed.came) return;
    const before = navigation.current();
    if (before.room !== "embed" || address(before) === address(place)) return;
    const { accent, page } = place.choices;
    const typed = { ...before.choices, accent, page };
    const picked =
      before.site !== null && address({ ...before, choices: typed }) !== address(place);
    if (picked) navigation.go(place);
    else navigation.replace(place);
  }, [navigation, embed, seen]);
}

/** No site to show: not yet, not reachable, or not there. */
function Absent() {
  const { embed } = useConsole();
  const { embed: words } = useStrings();
  const { value: trouble } = embed.sites.trouble;
  const { value: sites } = embed.sites.value;
  if (trouble !== null && sites === null) {
    const onAgain = () => void embed.load();
    const told = { title: words.failedTitle, again: words.out.again };
    return <Unreached {...told} trouble={trouble} onAgain={onAgain} />;
  }
  if (sites === null) return <Loading text={words.loading} />;
  const unknown = sites.length > 0;
  return (
    <main class="blank blank-room">
      <p class="blank-title">{unknown ? words.unknownSite : words.none}</p>
      <p>{unknown ? words.unknownSiteBody : words.noneBody}</p>
      {unknown && (
        <a class="button" href={address(EMBED)}>
          {words.first}
        </a>
      )}
    </main>
  );
}
