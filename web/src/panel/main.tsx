/**
 * The panel's entry: reads the page's configuration, builds the panel and ties it to the browser.
 *
 * Decides: what starts when. Nothing is stored here; that waits for the visitor's word.
 */
import "../trusted_types.ts";
import "./panel.css";
import { effect } from "@preact/signals";
import { render } from "preact";
import { knowledgeBase } from "../engines/kb/spawn.ts";
import { directionOf } from "../i18n/locale.ts";
import { openDatabase } from "../vault/store.ts";
import { applyAccent } from "./color.ts";
import { compose, type Services } from "./compose.ts";
import { type PanelConfig, readConfig } from "./config.ts";
import { HostBridge } from "./host.ts";
import { keepOffline, type OfflineStep } from "./offline.ts";
import { Panel } from "./views/panel.tsx";

interface DataSaver {
  readonly connection?: { readonly saveData?: boolean };
}

function savesData(): boolean {
  return (navigator as DataSaver).connection?.saveData === true;
}

/** Wanted only after consent, so fetched only then. */
function offline() {
  return import("../sw/register.ts");
}

/** The page says how far it is, for tests and for the curious. */
function markOffline(step: OfflineStep | undefined): void {
  const { dataset } = document.documentElement;
  if (step) dataset.offline = step;
  else delete dataset.offline;
}

function build(config: PanelConfig): Services {
  const { url, embedding } = config.kb;
  return compose(config, {
    fetch: (input, init) => fetch(input, init),
    storage: () => localStorage,
    openDatabase: () => openDatabase(config.site_key),
    languages: navigator.languages,
    isOnline: () => navigator.onLine,
    knowledge: () => knowledgeBase({ index: url, embedding: embedding?.url ?? null }),
    goOnlineOnly: async () => (await offline()).disableOffline(config),
  });
}

/** Language, direction and title follow the state. */
function dress({ state }: Services, config: PanelConfig): void {
  effect(() => {
    const root = document.documentElement;
    root.lang = state.locale.value;
    root.dir = directionOf(state.locale.value);
  });
  effect(() => {
    const count = state.unread.value;
    document.title = count > 0 ? `(${count}) ${config.name}` : config.name;
  });
}

/** The network, the other tabs and the clock on the wall. */
function listen({ network, escalations, replies, vault }: Services): void {
  const back = () => {
    network.refresh();
    void escalations.flush();
    replies.start();
  };
  window.addEventListener("online", back);
  window.addEventListener("offline", () => network.refresh());
  window.addEventListener("storage", ({ key, newValue }) => {
    vault.heard(key, newValue);
    replies.start();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) back();
  });
}

function show({ state }: Services, visible: boolean): void {
  state.visible.value = visible;
  if (visible) state.unread.value = 0;
}

/** In a frame: the loader's word counts for what is seen, and it draws the badge. */
function embed(services: Services, config: PanelConfig): HostBridge {
  const { state, followHost } = services;
  let accent = config.accent;
  const bridge = new HostBridge(window, config.host_origins, {
    hello: (hello) => {
      accent = hello.accent || config.accent;
      applyAccent(accent, document.documentElement);
      followHost(hello.locale);
      tell();
    },
    shown: () => show(services, true),
    hidden: () => show(services, false),
  });
  const tell = () => {
    const label = state.say.value("launcher", { name: config.name });
    bridge.theme({ accent, label, dir: directionOf(state.locale.value) });
  };
  state.visible.value = false;
  bridge.start();
  effect(tell);
  effect(() => bridge.unread(state.unread.value));
  document.addEventListener("keydown", (event) => {
    if (
      event.key === "Escape" &&
      !event.defaultPrevented &&
      !document.querySelector("dialog[open]")
    ) {
      bridge.close();
    }
  });
  return bridge;
}

/** On a page of its own: what is seen is what the browser shows. */
function standAlone(services: Services): void {
  const follow = () => show(services, !document.hidden);
  document.addEventListener("visibilitychange", follow);
  follow();
}

async function start(): Promise<void> {
  const config = readConfig(document);
  document.documentElement.dataset.mode = config.mode;
  applyAccent(config.accent, document.documentElement);
  const services = build(config);
  dress(services, config);
  const framed = config.mode === "panel" && window.parent !== window;
  const bridge = framed ? embed(services, config) : undefined;
  if (!framed) standAlone(services);
  listen(services);
  keepOffline(services.state, async () => (await offline()).enableOffline(config), markOffline);
  if (!savesData()) services.loadPack();
  await Promise.all([services.greet(), services.memory.resume()]);
  const root = document.getElementById("app");
  const close = bridge ? () => bridge.close() : undefined;
  if (root) render(<Panel services={{ ...services, close }} />, root);
}

void start();
