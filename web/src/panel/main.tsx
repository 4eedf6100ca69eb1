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
import { Identity } from "../trust/identity.ts";
import { makeKey } from "../trust/key.ts";
import { openDatabase } from "../vault/store.ts";
import { Asked } from "./asked.ts";
import { applyAccent } from "./color.ts";
import { compose, type Owner, type Services, type Surroundings } from "./compose.ts";
import { type PanelConfig, readConfig } from "./config.ts";
import { refuseFiles } from "./files.ts";
import { HostBridge, type HostListener } from "./host.ts";
import { followLook } from "./look.ts";
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

function build(
  config: PanelConfig,
  owner: Owner | undefined,
  instead: Partial<Surroundings> | undefined,
): Services {
  const { url, embedding } = config.kb;
  return compose(config, {
    fetch: (input, init) => fetch(input, init),
    storage: () => localStorage,
    openDatabase: () => openDatabase(owner?.store ?? config.site_key),
    languages: navigator.languages,
    isOnline: () => navigator.onLine,
    knowledge: () => knowledgeBase({ index: url, embedding: embedding?.url ?? null }),
    meaning: async (...around) => (await import("./device/open.ts")).openMeaning(...around),
    device: async (around) => (await import("./device/open.ts")).openDevice(around),
    goOnlineOnly: async () => (await offline()).disableOffline(config),
    owner,
    turnstile: async (widget) => (await import("../trust/turnstile.ts")).turnstileToken(widget),
    ...instead,
  });
}

/** Look, language, direction and title follow the state. */
function dress({ state }: Services, config: PanelConfig): void {
  followLook(state.theme, document.documentElement, (query) => matchMedia(query));
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
function listen({ network, escalations, feedback, memory, replies, vault }: Services): void {
  const back = () => {
    network.refresh();
    void escalations.flush();
    void feedback.flush();
    replies.start();
  };
  window.addEventListener("online", back);
  window.addEventListener("offline", () => network.refresh());
  window.addEventListener("storage", ({ key, newValue }) => {
    if (vault.forgotten(key, newValue)) void memory.forget();
    vault.heard(key, newValue);
    replies.start();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) back();
  });
}

function show({ state, speaker }: Services, visible: boolean): void {
  state.visible.value = visible;
  if (!visible) speaker.stop();
}

/** The bridge to the host page, which says nothing to anybody until there is somebody to hear. */
interface Frame {
  readonly bridge: HostBridge;
  readonly hear: (listener: HostListener) => void;
}

/** The panel anew, asking who its visitor is or not. */
function startOver(bridge: HostBridge, asks: boolean): void {
  bridge.restarting();
  const { pathname, search } = location;
  history.replaceState(null, "", asks ? "#identity" : pathname + search);
  location.reload();
}

function frame(config: PanelConfig): Frame {
  let listener: HostListener | undefined;
  const bridge = new HostBridge(window, config.host_origins, {
    hello: (hello) => listener?.hello(hello),
    shown: () => listener?.shown(),
    hidden: () => listener?.hidden(),
    ask: (text) => listener?.ask(text),
    greeted: (name) => listener?.greeted(name),
    who: (known) => listener?.who(known),
  });
  return {
    bridge,
    hear: (given) => {
      listener = given;
    },
  };
}

/** Whose panel this is, where the page says (in the frame's address) that its server knows visitors. */
async function learnIdentity({ bridge }: Frame): Promise<Identity | undefined> {
  if (location.hash !== "#identity") return undefined;
  const ask = (thumbprint: string) => bridge.identify(thumbprint);
  const { thumbprint } = await makeKey();
  return Identity.learn(ask, thumbprint, () => startOver(bridge, true));
}

async function ownerOf(identity: Identity, config: PanelConfig): Promise<Owner> {
  const store = await identity.storeName(config.site_key);
  return { store, jwt: (key) => identity.jwt(key) };
}

/** In a frame: the loader's word counts for what is seen, and it draws the badge. */
function embed(
  services: Services,
  config: PanelConfig,
  { bridge, hear }: Frame,
  identity: Identity | undefined,
): Asked {
  const { state, conversation, happenings, followHost } = services;
  const { tell: tellPage } = happenings;
  const asked = new Asked({ state, ask: (text) => conversation.ask(text), tell: tellPage });
  happenings.follow((happening) => bridge.tell(happening));
  let accent = config.accent;
  hear({
    hello: (hello) => {
      accent = hello.accent || config.accent;
      applyAccent(accent, document.documentElement);
      followHost(hello.locale);
      tell();
    },
    // The preview opens by itself, with each choice: it must not take the focus from who chooses.
    shown: () => show(services, !config.preview || document.hasFocus()),
    hidden: () => show(services, false),
    ask: (text) => asked.put(text),
    greeted: (name) => (state.greeted.value = name),
    who: async (known) => {
      const changed = known ? !(await identity?.isSame()) : identity?.subject;
      if (changed) startOver(bridge, known);
    },
  });
  const tell = () => {
    const label = state.say.value("launcher", { name: config.name });
    bridge.theme({ accent, label, dir: directionOf(state.locale.value) });
  };
  state.visible.value = false;
  bridge.ready();
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
  return asked;
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
  const framed = config.mode === "panel" && window.parent !== window ? frame(config) : undefined;
  framed?.bridge.start();
  const identity = framed && (await learnIdentity(framed));
  const owner = identity && (await ownerOf(identity, config));
  const preview = config.preview ? (await import("./preview.ts")).forPreview(config) : undefined;
  const services = build(config, owner, preview);
  dress(services, config);
  const asked = framed && embed(services, config, framed, identity);
  if (!framed) standAlone(services);
  listen(services);
  refuseFiles(document, () => (services.state.notice.value = "files.refused"));
  if (!preview)
    keepOffline(
      services.state,
      async () => {
        const engine = services.state.model.value !== undefined;
        return (await offline()).enableOffline({ ...config, engine });
      },
      markOffline,
    );
  if (!savesData()) services.loadPack();
  await Promise.all([services.greet(), services.memory.resume()]);
  if (config.encoder && services.state.consent.value?.memory)
    void services.local.meaning().catch(() => undefined);
  // Whoever has a model here is answered by it: only then is its code fetched.
  if (services.state.model.value) void services.local.device().catch(() => undefined);
  const root = document.getElementById("app");
  const close = framed ? () => framed.bridge.close() : undefined;
  if (root) render(<Panel services={{ ...services, close }} />, root);
  asked?.begin();
}

void start();
