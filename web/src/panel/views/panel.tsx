/** The whole panel: its head, what the visitor should know now, the conversation, and where to write. */
import type { VNode } from "preact";
import type { StringKey } from "../../i18n/strings.ts";
import { Composer } from "./composer.tsx";
import { ConsentScreen } from "./consent.tsx";
import { PanelContext, type PanelServices, usePanel } from "./context.ts";
import { Header } from "./header.tsx";
import { Icon } from "./icons.tsx";
import { Elsewhere, Log } from "./log.tsx";

export function Panel({ services }: { readonly services: PanelServices }): VNode {
  const { consent, kept } = services.state;
  const chosen = consent.value !== undefined;
  return (
    <PanelContext.Provider value={services}>
      <Header />
      <main>
        <Banner />
        {/* Another conversation is another log: what stands in it already is not read out as news. */}
        {chosen ? <Log key={kept.value.conversation_id} /> : <ConsentScreen />}
        {chosen && <Elsewhere />}
        {chosen && <Notice />}
        {chosen && <Composer />}
      </main>
    </PanelContext.Provider>
  );
}

/** What works and what waits, for as long as it is so. */
function Banner(): VNode {
  const { state } = usePanel();
  const connection = state.connection.value;
  const bare = connection === "offline" && state.pack.value !== "ready";
  const key: StringKey | undefined =
    connection === "online"
      ? undefined
      : (`banner.${connection}${bare ? ".bare" : ""}` as StringKey);
  return (
    <div role="status" class="banner-slot">
      {key && <p class="banner">{state.say.value(key)}</p>}
    </div>
  );
}

/** Something that happened, said once. */
function Notice(): VNode {
  const { state } = usePanel();
  const key = state.notice.value;
  const say = state.say.value;
  return (
    <div role="status" class="notice-slot">
      {key && (
        <p class="notice">
          <span>{say(key)}</span>
          <button
            type="button"
            class="quiet"
            aria-label={say("notice.dismiss")}
            onClick={() => (state.notice.value = undefined)}
          >
            <Icon sign="close" />
          </button>
        </p>
      )}
    </div>
  );
}
