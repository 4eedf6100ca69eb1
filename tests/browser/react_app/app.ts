/** A React application as an owner might have it: two pages, a button of its own, and the chat. */
import { FanlightChat, useFanlight } from "@fanlight/react";
import { createElement as h, StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";

const { gateway, site } = document.documentElement.dataset as { gateway: string; site: string };

function Help() {
  const chat = useFanlight();
  const onClick = () => chat?.ask("Does it work offline?");
  return h("button", { type: "button", disabled: !chat, onClick }, "Ask about offline");
}

function App() {
  const [path, setPath] = useState(location.pathname);
  const [chatting, setChatting] = useState(true);
  const [unread, setUnread] = useState(0);
  const [heard, setHeard] = useState<string[]>([]);
  const go = () => {
    history.pushState({}, "", "/two");
    setPath("/two");
  };
  const onMessage = ({ from }: { from: string }) => setHeard((before) => [...before, from]);
  const onUnread = ({ count }: { count: number }) => setUnread(count);
  return h(
    "main",
    null,
    h("h1", null, `Page ${path}`),
    h("p", { id: "heard" }, heard.join(" "), unread || ""),
    h("button", { type: "button", onClick: go }, "Go on"),
    h("button", { type: "button", onClick: () => setChatting(!chatting) }, "Chat on or off"),
    h(Help),
    chatting && h(FanlightChat, { gateway, site, position: "left", onMessage, onUnread }),
  );
}

createRoot(document.getElementById("app") as HTMLElement).render(h(StrictMode, null, h(App)));
