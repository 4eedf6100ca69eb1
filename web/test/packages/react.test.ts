// @vitest-environment happy-dom
import { act, createElement, StrictMode } from "react";
import { createRoot, type Root } from "react-dom/client";
import { renderToString } from "react-dom/server";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  FanlightChat,
  type FanlightChatProps,
  useFanlight,
} from "../../packages/react/src/index.ts";
import { chat } from "../../packages/widget/src/index.ts";
import { label, launcher, launchers, type Network, network } from "./page.ts";

const PROPS: FanlightChatProps = { gateway: "https://chat.example", site: "site_demo" };

let page: Network;
let root: Root;

function Opener() {
  const there = useFanlight();
  const onClick = () => there?.open();
  return createElement("button", { type: "button", disabled: !there, onClick }, "Chat");
}

async function render(props: FanlightChatProps): Promise<void> {
  const app = createElement(StrictMode, null, [
    createElement(FanlightChat, { ...props, key: "chat" }),
    createElement(Opener, { key: "opener" }),
  ]);
  await act(async () => root.render(app));
}

async function bring(): Promise<void> {
  await act(async () => page.bring());
}

beforeEach(() => {
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
  page = network();
  const place = document.createElement("div");
  document.body.append(place);
  root = createRoot(place);
});

afterEach(async () => {
  await act(async () => root.unmount());
  document.body.replaceChildren();
  vi.restoreAllMocks();
});

describe("<FanlightChat>", () => {
  it("loads one chat, though React renders it twice, and takes it off again", async () => {
    await render(PROPS);
    await bring();
    expect(page.tags).toHaveLength(1);
    expect(launchers()).toHaveLength(1);
    await act(async () => root.render(null));
    expect(launchers()).toEqual([]);
  });

  it("tells its newest handlers, once each", async () => {
    const heard: string[] = [];
    await render({ ...PROPS, onOpen: () => heard.push("first") });
    await bring();
    await render({ ...PROPS, onOpen: () => heard.push("second") });
    await act(async () => chat()?.open());
    expect(heard).toEqual(["second"]);
  });

  it("follows its properties: the language at once, the rest anew", async () => {
    await render(PROPS);
    await bring();
    await render({ ...PROPS, locale: "es" });
    expect(label()).toBe("Abrir el chat");
    expect(page.tags).toHaveLength(1);
    await render({ ...PROPS, position: "left" });
    await bring();
    expect(launcher()?.dataset.side).toBe("left");
  });

  it("does not start over for a function that is written anew each time", async () => {
    await render({ ...PROPS, identity: () => "first" });
    await bring();
    const named = vi.spyOn(chat() as never, "identify");
    await render({ ...PROPS, identity: () => "second" });
    expect(named).not.toHaveBeenCalled();
    await render(PROPS);
    expect(named).toHaveBeenCalledExactlyOnceWith(null);
  });

  it("says that the loader does not come", async () => {
    const heard: unknown[] = [];
    await render({ ...PROPS, onError: (detail) => heard.push(detail) });
    await act(async () => page.fail());
    expect(heard).toEqual([{ reason: "unreachable" }]);
  });

  it("is nothing on a server", () => {
    expect(renderToString(createElement(FanlightChat, PROPS))).toBe("");
    expect(renderToString(createElement(Opener))).toContain("disabled");
    expect(page.tags).toEqual([]);
  });
});

describe("useFanlight()", () => {
  it("gives the chat once it is there", async () => {
    await render(PROPS);
    const button = document.querySelector("button");
    expect(button?.disabled).toBe(true);
    await bring();
    expect(button?.disabled).toBe(false);
    await act(async () => button?.click());
    expect(launcher()?.shadowRoot?.querySelector("iframe")).not.toBeNull();
  });
});
