/** The bar at the top: the mark, the rooms, whether the page is live, help, and the way out. */

import { useRef } from "preact/hooks";
import { address, type Place } from "../navigation";
import { useFocusWhenWanted } from "./commands";
import { useConsole, useStrings } from "./context";
import { Mark } from "./icons";

export function Bar({ operator }: { operator: string }) {
  const console = useConsole();
  const { bar, name, operators } = useStrings();
  return (
    <header class="bar">
      <Mark />
      <h1 class="bar-name">
        {name}
        <span class="unseen"> {operators}</span>
      </h1>
      <nav class="rooms" aria-label={bar.rooms}>
        <Room room="inbox" />
        <Room room="knowledge" />
        <Room room="embed" />
        <Room room="figures" />
        <Room room="personality" />
      </nav>
      <Connection />
      <span class="bar-space" />
      <span class="bar-operator" title={bar.signedInAs(operator)}>
        {operator}
      </span>
      <button
        type="button"
        class="button-text bar-help"
        aria-label={bar.shortcuts}
        title={bar.shortcuts}
        onClick={() => {
          console.helpOpen.value = true;
        }}
      >
        ?
      </button>
      <button type="button" class="button-text" onClick={() => void console.logOut()}>
        {bar.logOut}
      </button>
    </header>
  );
}

/** Leads to where one was last in that room. */
function Room({ room }: { room: Place["room"] }) {
  const console = useConsole();
  const { bar, list } = useStrings();
  const link = useRef<HTMLAnchorElement>(null);
  useFocusWhenWanted(link, "room", room);
  const here = console.room.value === room;
  const news = room === "inbox" && !here ? console.inbox.unread.value.size : 0;
  return (
    <a
      ref={link}
      class="room"
      href={address(console.lastPlace(room)) || "#"}
      aria-current={here ? "page" : undefined}
    >
      {bar[room]}
      {news > 0 && (
        <span class="tally">
          <span aria-hidden="true">{news}</span>
          <span class="unseen">{list.tally(news)}</span>
        </span>
      )}
    </a>
  );
}

function Connection() {
  const state = useConsole().connection.value;
  const { bar } = useStrings();
  const help = {
    live: bar.liveHelp,
    connecting: bar.liveHelp,
    reconnecting: bar.reconnectingHelp,
    offline: bar.offlineHelp,
  }[state];
  return (
    <span class={`connection connection-${state}`} role="status" title={help}>
      <span class="connection-word">{bar[state]}</span>
    </span>
  );
}
