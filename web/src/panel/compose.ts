/**
 * The panel's composition root: every service made once and handed what it needs.
 *
 * Decides nothing about a conversation; only who knows whom, and what the browser provides.
 */
import { effect } from "@preact/signals";
import type { KbTopic } from "../engines/kb/protocol.ts";
import { chooseLocale, type Locale } from "../i18n/locale.ts";
import { SignedCalls } from "../trust/calls.ts";
import { CorrectedClock, SteadyClock } from "../trust/clock.ts";
import { makeId } from "../trust/ids.ts";
import type { Widget } from "../trust/turnstile.ts";
import { ConsentRecord } from "../vault/consent.ts";
import { type Database, MemoryStore } from "../vault/store.ts";
import { emptyKept, type Kept, seen } from "../vault/talks.ts";
import { type Keeping, Vault } from "../vault/vault.ts";
import type { PanelConfig } from "./config.ts";
import { Conversation } from "./conversation.ts";
import type { Device } from "./device/device.ts";
import type { Around } from "./device/open.ts";
import { Escalations } from "./escalations.ts";
import { Feedback } from "./feedback.ts";
import { Gateway } from "./gateway.ts";
import { Happenings, type Tell } from "./happenings.ts";
import { browse, type Knowledge } from "./knowledge.ts";
import { Local } from "./local.ts";
import { exclusively } from "./locks.ts";
import type { Meaning } from "./meaning/meaning.ts";
import { Memory, type MemoryOptions } from "./memory.ts";
import { Network } from "./network.ts";
import { dayIn } from "./question.ts";
import { Replies } from "./replies.ts";
import { KeyRing } from "./ring.ts";
import { Speaker } from "./speech.ts";
import { PanelState } from "./state.ts";
import { Talks } from "./talks.ts";

/** What the browser provides, and a test provides in its place. */
export interface Surroundings {
  readonly fetch: typeof fetch;
  readonly storage: () => Storage;
  readonly openDatabase: () => Promise<Database>;
  readonly languages: readonly string[];
  readonly isOnline: () => boolean;
  readonly knowledge: () => Knowledge;
  readonly device: (around: Around) => Promise<Device>;
  readonly meaning: (state: PanelState, knowledge: () => Knowledge) => Promise<Meaning>;
  readonly goOnlineOnly: MemoryOptions["goOnlineOnly"];
  readonly turnstile?: ((widget: Widget) => Promise<string>) | undefined;
  /** Whose panel this is, where the host page knows its visitors. */
  readonly owner?: Owner | undefined;
  /** Whom the panel asks, where that is not the gateway. */
  readonly gateway?: ((calls: SignedCalls) => Gateway) | undefined;
}

/** A visitor's own storage, and the site's word for who that is. */
export interface Owner {
  readonly store: string;
  readonly jwt: (thumbprint: string) => Promise<string | undefined>;
}

/** The name under which this browser keeps what is this visitor's. */
function storeOf(config: PanelConfig, around: Surroundings): string {
  return around.owner?.store ?? config.site_key;
}

export interface Services {
  readonly state: PanelState;
  readonly conversation: Conversation;
  readonly escalations: Escalations;
  readonly feedback: Feedback;
  readonly happenings: Happenings;
  readonly memory: Memory;
  readonly local: Local;
  readonly speaker: Speaker;
  readonly network: Network;
  readonly replies: Replies;
  readonly talks: Talks;
  readonly vault: Vault;
  readonly warm: () => void;
  readonly loadPack: () => void;
  /** What can be asked; rejects where that cannot be known. */
  readonly topics: () => Promise<readonly KbTopic[]>;
  /** Speaks the language that is known to fit so far. */
  readonly greet: () => Promise<void>;
  /** Follows the embedding page's language, unless the visitor chose one. */
  readonly followHost: (locale: string) => void;
}

function makeVault(state: PanelState, around: Surroundings): Vault {
  const onChange = (kept: Kept, keeping: Keeping): void => {
    state.kept.value = kept;
    if (keeping === "refused" && state.keeping.value === "kept") {
      state.notice.value = "notice.refused";
    }
    if (state.consent.value?.memory) state.keeping.value = keeping;
  };
  const locked = (name: string, work: () => void) => exclusively(name, async () => work());
  const site = storeOf(state.config, around);
  const options = { site, storage: around.storage, locked, onChange };
  const vault = new Vault(options, state.kept.value);
  effect(() => {
    if (!state.visible.value || !state.entries.value.some(({ unseen }) => unseen)) return;
    void vault.update((kept) => seen(kept, kept.conversation_id));
  });
  return vault;
}

function makeCalls(state: PanelState, around: Surroundings, ring: KeyRing): SignedCalls {
  const { gateway, authority, site_key } = state.config;
  return new SignedCalls({
    fetch: around.fetch,
    clock: new CorrectedClock(),
    gateway,
    authority,
    siteKey: site_key,
    key: () => ring.key(),
    locale: () => state.locale.value,
    consent: () => state.consent.value ?? { memory: false, training: false },
    identity: around.owner?.jwt,
    turnstile: around.turnstile,
  });
}

/** The visitor's language, as far as it is known; `host` is the embedding page's. */
function localeFor(
  state: PanelState,
  around: Surroundings,
  chosen?: string,
  host?: string,
): Locale {
  const { locales, default_locale } = state.config;
  const { languages } = around;
  return chooseLocale({
    chosen,
    host,
    browser: languages,
    site: locales,
    siteDefault: default_locale,
  });
}

function makeReplies(parts: {
  readonly vault: Vault;
  readonly network: Network;
  readonly calls: SignedCalls;
  readonly gateway: Gateway;
  readonly tell: Tell;
}): Replies {
  const { vault, network, calls, gateway, tell } = parts;
  return new Replies({
    gateway,
    vault,
    usable: () => network.usable,
    reauthenticate: () => calls.reset(),
    onReply: () => {
      tell({ type: "message", from: "person" });
      tell({ type: "reply" });
    },
    exclusively,
  });
}

export function compose(config: PanelConfig, around: Surroundings): Services {
  const clock = new SteadyClock();
  const state = new PanelState(config, emptyKept(makeId("c", clock)));
  const vault = makeVault(state, around);
  const network = new Network(state, around.isOnline);
  const ring = new KeyRing();
  const calls = makeCalls(state, around, ring);
  const gateway = around.gateway?.(calls) ?? new Gateway(calls, config.first_word_ms);
  const happenings = new Happenings();
  const { tell } = happenings;
  const replies = makeReplies({ vault, network, calls, gateway, tell });
  const site = storeOf(config, around);
  const sender = { gateway, vault, network, site, exclusively };
  const feedback = new Feedback({ ...sender, store: new MemoryStore() });
  const escalations = new Escalations({
    ...sender,
    store: new MemoryStore(),
    locale: () => state.locale.value,
    now: () => clock.now(),
    onSent: () => {
      replies.start();
      tell({ type: "escalated" });
    },
  });
  const consent = new ConsentRecord(site, around.storage);
  const pack = packLoader(state, around.knowledge);
  const shared = { state, vault, gateway, escalations, network, clock, tell };
  const local = new Local(
    state,
    () => {
      const remember = (id: string | undefined) => memory.wantModel(id);
      return around.device({ state, grounded: pack.current, remember });
    },
    () => around.meaning(state, pack.wanted),
  );
  const { answer: here } = local;
  const conversation = new Conversation({ ...shared, knowledge: pack.current, here });
  const { openDatabase, goOnlineOnly } = around;
  const kept = { state, vault, consent, ring, calls, gateway, escalations, replies, clock };
  const memory = new Memory({ ...kept, feedback, openDatabase, goOnlineOnly });
  const speak = (host?: string) =>
    state.speak(localeFor(state, around, consent.read()?.locale, host));
  return {
    ...{ state, conversation, escalations, feedback, happenings, memory, network, replies, vault },
    local,
    speaker: new Speaker(),
    talks: new Talks({ state, vault, conversation, replies, clock }),
    warm: () => void (network.usable && gateway.warm()),
    loadPack: pack.load,
    topics: () => {
      if (!pack.current()) pack.load();
      const locale = state.locale.value;
      return browse(pack.current(), { locale, today: dayIn(config.time_zone, clock.now()) });
    },
    greet: () => speak(),
    followHost: (host) => void (state.localeChosen.value || speak(host)),
  };
}

/** Starts the knowledge base once it is wanted, and says how that went. */
function packLoader(
  state: PanelState,
  make: () => Knowledge,
): {
  readonly current: () => Knowledge | undefined;
  readonly load: () => void;
  readonly wanted: () => Knowledge;
} {
  let knowledge: Knowledge | undefined;
  const wanted = () => {
    knowledge ??= make();
    return knowledge;
  };
  const load = () => {
    state.pack.value = "loading";
    wanted()
      .load()
      .then(
        () => (state.pack.value = "ready"),
        () => (state.pack.value = "failed"),
      );
  };
  return { current: () => knowledge, load, wanted };
}
