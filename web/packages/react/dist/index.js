import { chat, mount, watch } from "@fanlight/widget";
import { useEffect, useRef, useSyncExternalStore } from "react";
// packages/react/src/index.ts
/**
* Fanlight's chat in a React application: a component that holds it, and a hook that gives it.
*
* Decides nothing that `@fanlight/widget` does not: the component draws nothing itself, and rendering on a
* server does nothing.
*/
var HANDLERS = {
	ready: "onReady",
	open: "onOpen",
	close: "onClose",
	message: "onMessage",
	escalated: "onEscalated",
	reply: "onReply",
	unread: "onUnread",
	error: "onError"
};
/** The chat of this page, as long as a `FanlightChat` is rendered; undefined until it is there. */
function useFanlight() {
	return useSyncExternalStore(watch, chat, () => void 0);
}
/** Has the chat on the page while it is rendered. Render it once, near the root: it outlives navigation there. */
function FanlightChat(props) {
	const latest = useRef(props);
	useEffect(() => {
		latest.current = props;
	});
	useHeld(props, latest);
	useHandlers(latest);
	return null;
}
/** Loads the chat, and changes it when what is written here changes. A function is asked as it is then. */
function useHeld(props, latest) {
	const { gateway, site, locale, position, accent, identity, integrity, nonce } = props;
	const address = typeof identity === "function" ? void 0 : identity;
	const asks = typeof identity === "function";
	const ask = useRef((question) => {
		const { identity: now } = latest.current;
		return typeof now === "function" ? now(question) : null;
	});
	useEffect(() => {
		const held = mount({
			gateway,
			site,
			locale,
			position,
			accent,
			integrity,
			nonce,
			identity: asks ? ask.current : address
		});
		let wanted = true;
		held.chat.catch(() => {
			if (wanted) latest.current.onError?.({ reason: "unreachable" });
		});
		return () => {
			wanted = false;
			held.unmount();
		};
	}, [
		gateway,
		site,
		locale,
		position,
		accent,
		integrity,
		nonce,
		address,
		asks,
		latest
	]);
}
function useHandlers(latest) {
	const there = useFanlight();
	useEffect(() => {
		const stops = Object.keys(HANDLERS).map((name) => there?.on(name, (detail) => {
			const handler = latest.current[HANDLERS[name]];
			handler?.(detail);
		}));
		return () => {
			for (const stop of stops) stop?.();
		};
	}, [there, latest]);
}
export { FanlightChat, useFanlight };
