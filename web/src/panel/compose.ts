/**
 * The panel's composition root: every service made once and handed what it needs.
 *
 * Decides nothing about a conversation; only who knows whom, and what the browser provides.
 */
import { chooseLocale, isLocale, type Locale } from "../i18n/locale.ts";
import { SignedCalls } from "../trust/calls.ts";
import { CorrectedClock, SteadyClock } from "../trust/clock.ts";
import { makeId } from "../trust/ids.ts";
import { ConsentRecord } from "../vault/consent.ts";
import { type Database, MemoryStore } from "../vault/store.ts";
import { Vault } from "../vault/vault.ts";
import type { PanelConfig } from "./config.ts";
import { Conversation } from "./conversation.ts";
import { Escalations } from "./escalations.ts";
import { Gateway } from "./gateway.ts";
import type { Knowledge } from "./knowledge.ts";
import { exclusively } from "./locks.ts";
import { Memory, type MemoryOptions } from "./memory.ts";
import { Network } from "./network.ts";
import { Replies } from "./replies.ts";
import { KeyRing } from "./ring.ts";
import { PanelState } from "./state.ts";

/** What the browser provides, and a test provides in its place. */
export interface Surroundings {
  readonly fetch: typeof fetch;
  readonly storage: () => Storage;
  readonly openDatabase: () => Promise<Database>;
  readonly languages: readonly string[];
  readonly isOnline: () => boolean;
  readonly knowledge: () => Knowledge;
  readonly goOnlineOnly: MemoryOptions["goOnlineOnly"];
}

export interface Services {
  readonly state: PanelState;
  readonly conversation: Conversation;
  readonly escalations: Escalations;
  readonly memory: Memory;
  readonly network: Network;
  readonly replies: Replies;
  readonly vault: Vault;
  readonly warm: () => void;
  readonly loadPack: () => void;
  /** Speaks the language that is known to fit so far. */
  readonly greet: () => Promise<void>;
  /** Follows the embedding page's language, unless the visitor chose one. */
  readonly followHost: (locale: string) => void;
}

function once(name: string, work: () => void): Promise<void> {
  return exclusively(name, async () => work());
}

export function compose(config: PanelConfig, around: Surroundings): Services {
  const clock = new SteadyClock();
  const consent = new ConsentRecord(config.site_key, around.storage);
  const localeFor = (host?: string): Locale =>
    chooseLocale({
      chosen: consent.read()?.locale,
      host,
      browser: around.languages,
      site: config.locales,
      siteDefault: config.default_locale,
    });
  const empty = {
    v: 1,
    conversation_id: makeId("c", clock),
    subject: "",
    cleared_at: 0,
    last_event_id: "",
    entries: [],
  } as const;
  const state = new PanelState(config, empty);
  const vault = new Vault(
    {
      site: config.site_key,
      storage: around.storage,
      locked: once,
      onChange: (kept, keeping) => {
        state.kept.value = kept;
        if (keeping === "refused" && state.keeping.value === "kept") {
          state.notice.value = "notice.refused";
        }
        if (state.consent.value?.memory) state.keeping.value = keeping;
      },
    },
    empty,
  );
  const network = new Network(state, around.isOnline);
  const ring = new KeyRing();
  const calls = new SignedCalls({
    fetch: around.fetch,
    clock: new CorrectedClock(),
    gateway: config.gateway,
    authority: config.authority,
    siteKey: config.site_key,
    key: () => ring.key(),
    locale: () => state.locale.value,
    consent: () => state.consent.value ?? { memory: false, training: false },
  });
  const gateway = new Gateway(calls);
  const replies = new Replies({
    gateway,
    vault,
    usable: () => network.usable,
    reauthenticate: () => calls.reset(),
    onReply: () => {
      if (!state.visible.value) state.unread.value += 1;
    },
    exclusively,
  });
  const escalations = new Escalations({
    gateway,
    vault,
    network,
    store: new MemoryStore(),
    site: config.site_key,
    locale: () => state.locale.value,
    now: () => clock.now(),
    onSent: () => replies.start(),
    exclusively,
  });
  const pack = packLoader(state, around.knowledge);
  const conversation = new Conversation({
    state,
    vault,
    gateway,
    escalations,
    network,
    clock,
    knowledge: pack.current,
  });
  const memory = new Memory({
    state,
    vault,
    consent,
    ring,
    calls,
    escalations,
    replies,
    clock,
    openDatabase: around.openDatabase,
    goOnlineOnly: around.goOnlineOnly,
  });
  return {
    state,
    conversation,
    escalations,
    memory,
    network,
    replies,
    vault,
    warm: () => {
      if (network.usable) void calls.warm();
    },
    loadPack: pack.load,
    greet: () => state.speak(localeFor()),
    followHost: (host) => {
      if (!isLocale(consent.read()?.locale) && !state.localeChosen.value) {
        void state.speak(localeFor(host));
      }
    },
  };
}

/** Starts the knowledge base once it is wanted, and says how that went. */
function packLoader(
  state: PanelState,
  make: () => Knowledge,
): { readonly current: () => Knowledge | undefined; readonly load: () => void } {
  let knowledge: Knowledge | undefined;
  const load = () => {
    knowledge ??= make();
    state.pack.value = "loading";
    knowledge.load().then(
      () => (state.pack.value = "ready"),
      () => (state.pack.value = "failed"),
    );
  };
  return { current: () => knowledge, load };
}
