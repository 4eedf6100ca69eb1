/** The bar at the top: the mark, whether the page is live, help, and the way out. */

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
      <Connection />
      <span class="bar-space" />
      <span class="bar-operator" title={bar.signedInAs(operator)}>
        {operator}
      </span>
      <button
        type="button"
        class="button-text"
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
      {bar[state]}
    </span>
  );
}
