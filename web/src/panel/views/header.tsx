/** The panel's head: whose it is, its language, and what a visitor may do with the conversation. */
import type { VNode } from "preact";
import { LOCALE_NAMES } from "../../i18n/locale.ts";
import { linesOf } from "../../vault/talks.ts";
import { awaitsReply } from "../lines.ts";
import { THEMES } from "../look.ts";
import type { Opened } from "../state.ts";
import { type PanelServices, usePanel } from "./context.ts";
import { Confirm } from "./dialog.tsx";
import { Fanlight, Icon } from "./icons.tsx";
import { later } from "./later.tsx";
import { Menu, type MenuItem } from "./menu.tsx";

/** What was talked of before, what is kept, and what can be asked: for those who look. */
const LISTS = {
  talks: later(async () => (await import("./talks.tsx")).Talks),
  kept: later(async () => (await import("./kept.tsx")).Kept),
  topics: later(async () => (await import("./topics.tsx")).Topics),
  device: later(async () => (await import("../device/sheet.tsx")).DeviceSheet),
};

type Listed = keyof typeof LISTS;
type Asking = Exclude<Opened, Listed>;

export function Header(): VNode {
  const services = usePanel();
  const { state, close } = services;
  const say = state.say.value;
  const opened = state.opened.value;
  const done = () => {
    state.opened.value = undefined;
  };
  return (
    <header>
      <Fanlight />
      <h1>
        <bdi>{state.config.name}</bdi>
      </h1>
      <LanguageMenu />
      {state.consent.value && (
        <Menu label={say("menu")} items={menuItems(services)}>
          <Icon sign="more" />
        </Menu>
      )}
      {close && (
        <button type="button" class="quiet" aria-label={say("close")} onClick={close}>
          <Icon sign="close" />
        </button>
      )}
      {opened && <Over opened={opened} done={done} />}
    </header>
  );
}

interface OverProps<What = Opened> {
  readonly opened: What;
  readonly done: () => void;
}

/** What stands over the conversation. */
function Over({ opened, done }: OverProps): VNode {
  if (!(opened in LISTS)) return <Question opened={opened as Asking} done={done} />;
  const List = LISTS[opened as Listed];
  return <List onClose={done} />;
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

function menuItems(services: PanelServices): readonly MenuItem[] {
  const { state, memory, talks, loadPack } = services;
  const open = (opened: Opened) => {
    state.opened.value = opened;
  };
  const say = state.say.value;
  const unread = state.unread.value;
  const items: MenuItem[] = [
    { label: say("ask.person"), act: () => (state.toPerson.value = true) },
    { label: say("talk.begin"), act: () => void talks.begin() },
    { label: say("talks") + (unread ? ` (${unread})` : ""), act: () => open("talks") },
  ];
  items.push({ label: say("menu.topics"), act: () => open("topics") });
  if (state.pack.value === "absent") items.push({ label: say("menu.pack"), act: loadPack });
  if (state.config.local_models.length > 0 || state.config.encoder) {
    items.push({ label: say("menu.device"), act: () => open("device") });
  }
  items.push({ label: say("menu.kept"), act: () => open("kept") });
  if (state.entries.value.length > 0) {
    items.push({ label: say("menu.clear"), act: () => open("clear") });
  }
  items.push(...looks(services));
  items.push({ label: say("menu.erase"), danger: true, act: () => open("erase") });
  if (state.consent.value?.memory) {
    items.push({ label: say("menu.forget"), danger: true, act: () => open("forget") });
  } else {
    items.push({ label: say("menu.remember"), act: () => void remember(state, memory) });
  }
  return items;
}

/** How the panel may look, as one choice. */
function looks({ state, memory }: PanelServices): readonly MenuItem[] {
  const say = state.say.value;
  return THEMES.map((theme) => ({
    label: say(`look.${theme}`),
    group: say("look"),
    checked: theme === state.theme.value,
    act: () => memory.chooseTheme(theme),
  }));
}

async function remember(
  state: PanelServices["state"],
  memory: PanelServices["memory"],
): Promise<void> {
  await memory.accept(state.consent.value?.training ?? false);
  state.notice.value ??= "notice.remembered";
}

function Question({ opened: asking, done }: OverProps<Asking>): VNode {
  const { state, memory } = usePanel();
  const say = state.say.value;
  const waits = awaitsReply(asking === "clear" ? state.entries.value : linesOf(state.kept.value));
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
