/** The panel's head: whose it is, its language, and what a visitor may do with the conversation. */
import type { VNode } from "preact";
import { useState } from "preact/hooks";
import { LOCALE_NAMES } from "../../i18n/locale.ts";
import { awaitsReply } from "../lines.ts";
import { type PanelServices, usePanel } from "./context.ts";
import { Confirm } from "./dialog.tsx";
import { Fanlight, Icon } from "./icons.tsx";
import { Menu, type MenuItem } from "./menu.tsx";

type Asking = "clear" | "forget" | "erase" | undefined;

export function Header(): VNode {
  const services = usePanel();
  const { state, close } = services;
  const say = state.say.value;
  const [asking, setAsking] = useState<Asking>();
  return (
    <header>
      <Fanlight />
      <h1>
        <bdi>{state.config.name}</bdi>
      </h1>
      <LanguageMenu />
      {state.consent.value && (
        <Menu label={say("menu")} items={menuItems(services, setAsking)}>
          <Icon sign="more" />
        </Menu>
      )}
      {close && (
        <button type="button" class="quiet" aria-label={say("close")} onClick={close}>
          <Icon sign="close" />
        </button>
      )}
      <Question asking={asking} done={() => setAsking(undefined)} />
    </header>
  );
}

function LanguageMenu(): VNode | null {
  const { state, memory } = usePanel();
  if (state.offered.length < 2) return null;
  const current = state.locale.value;
  const items = state.offered.map((locale) => ({
    label: LOCALE_NAMES[locale],
    lang: locale,
    checked: locale === current,
    act: () => void memory.chooseLocale(locale),
  }));
  return (
    <Menu label={`${state.say.value("menu.language")}: ${LOCALE_NAMES[current]}`} items={items}>
      <Icon sign="globe" />
      <span class="code">{current}</span>
    </Menu>
  );
}

function menuItems(
  { state, memory, loadPack }: PanelServices,
  ask: (asking: Asking) => void,
): readonly MenuItem[] {
  const say = state.say.value;
  const items: MenuItem[] = [
    { label: say("ask.person"), act: () => (state.toPerson.value = true) },
  ];
  if (state.pack.value === "absent") items.push({ label: say("menu.pack"), act: loadPack });
  if (state.entries.value.length > 0) {
    items.push({ label: say("menu.clear"), act: () => ask("clear") });
  }
  items.push({ label: say("menu.erase"), danger: true, act: () => ask("erase") });
  if (state.consent.value?.memory) {
    items.push({ label: say("menu.forget"), danger: true, act: () => ask("forget") });
  } else {
    items.push({ label: say("menu.remember"), act: () => void remember(state, memory) });
  }
  return items;
}

async function remember(
  state: PanelServices["state"],
  memory: PanelServices["memory"],
): Promise<void> {
  await memory.accept(state.consent.value?.training ?? false);
  state.notice.value ??= "notice.remembered";
}

function Question({
  asking,
  done,
}: {
  readonly asking: Asking;
  readonly done: () => void;
}): VNode | null {
  const { state, memory } = usePanel();
  const say = state.say.value;
  if (!asking) return null;
  const waits = awaitsReply(state.entries.value);
  const pending = waits ? ` ${say(asking === "erase" ? "erase.pending" : "clear.pending")}` : "";
  return (
    <Confirm
      title={say(`${asking}.title`)}
      body={say(`${asking}.body`) + pending}
      yes={say(`${asking}.yes`)}
      onYes={() => void memory[asking]()}
      onClose={done}
    />
  );
}
