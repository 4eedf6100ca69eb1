// packages/widget/src/tag.ts
var policy;
/** The address as the page wants it; where it allows no policy of ours, as it is. */
function trusted(url) {
	const { trustedTypes } = globalThis;
	try {
		policy ??= trustedTypes?.createPolicy("fanlight", { createScriptURL: (own) => own });
	} catch {
		return url;
	}
	return policy ? policy.createScriptURL(url) : url;
}
/** The gateway names a loader by the first eight bytes of its hash. */
function loaderAddress(gateway, integrity) {
	const origin = gateway.replace(/\/+$/, "");
	if (!integrity) return `${origin}/loader.js`;
	return `${origin}/loader.${[...atob(integrity.replace(/^sha384-/, "")).slice(0, 8)].map((byte) => byte.charCodeAt(0).toString(16)).map((byte) => byte.padStart(2, "0")).join("")}.js`;
}
function makeTag(options) {
	const { gateway, site, locale, position, accent, identity, integrity, nonce } = options;
	const tag = document.createElement("script");
	const written = {
		site,
		locale,
		position,
		accent,
		identity: typeof identity === "string" ? identity : void 0
	};
	for (const [name, value] of Object.entries(written)) if (value) tag.dataset[name] = value;
	if (integrity) {
		tag.integrity = integrity;
		tag.crossOrigin = "anonymous";
	}
	if (nonce) tag.nonce = nonce;
	tag.src = trusted(loaderAddress(gateway, integrity));
	return tag;
}
// packages/widget/src/load.ts
/**
* Puts the gateway's loader on the page and takes it off again.
*
* Decides: when a chat that is there will do, and when another must take its place. Refuses: two at once;
* whoever asks last is served. Nothing runs at import, so that a server may import this, too.
*/
var loaded;
var holders = /* @__PURE__ */ new Set();
var listeners = /* @__PURE__ */ new Set();
function tell() {
	for (const listener of [...listeners]) listener();
}
/** The chat that was loaded from here, once it is there. */
function chat() {
	return isThere() ? loaded?.chat : void 0;
}
/** Calls when `chat()` has changed; what it gives ends that. */
function watch(listener) {
	listeners.add(listener);
	return () => void listeners.delete(listener);
}
/** On its way, or on the page: the page itself may have destroyed it. */
function isThere() {
	return !!loaded && (!loaded.chat || window.fanlight === loaded.chat);
}
function sourceOf({ identity }) {
	return typeof identity === "function" ? identity : void 0;
}
/** Loads the chat, or changes the one that is there; rejects where the loader does not come. */
function load(options) {
	const { gateway, site, position, accent, identity, integrity } = options;
	const key = JSON.stringify([
		gateway,
		site,
		position,
		accent,
		typeof identity === "string" ? identity : "",
		integrity
	]);
	if (loaded?.key === key && isThere()) return adjust(loaded, options);
	unload();
	const tag = makeTag(options);
	const made = {
		key,
		tag,
		coming: new Promise((resolve, reject) => {
			tag.onload = () => arrive(made, resolve, reject);
			tag.onerror = () => fail(made, reject, `fanlight: ${tag.src} cannot be loaded`);
		}),
		chat: void 0,
		locale: options.locale,
		source: sourceOf(options)
	};
	loaded = made;
	document.head.append(tag);
	return made.coming;
}
function arrive(made, resolve, reject) {
	const there = window.fanlight;
	if (!there || Array.isArray(there)) {
		fail(made, reject, `fanlight: ${made.tag.src} is not a loader`);
		return;
	}
	if (loaded !== made) {
		there.destroy();
		reject(/* @__PURE__ */ new Error("fanlight: unloaded before it was there"));
		return;
	}
	made.chat = there;
	if (made.source) there.identify(made.source);
	if (made.locale) there.setLocale(made.locale);
	resolve(there);
	tell();
}
function fail(made, reject, reason) {
	made.tag.remove();
	if (loaded === made) loaded = void 0;
	reject(new Error(reason));
}
/** What may change while the chat stays. */
function adjust(made, options) {
	const source = sourceOf(options);
	if (source !== made.source) made.chat?.identify(source ?? null);
	if (options.locale && options.locale !== made.locale) made.chat?.setLocale(options.locale);
	made.source = source;
	made.locale = options.locale;
	return made.coming;
}
/** Takes the chat off the page. */
function unload() {
	const before = loaded;
	loaded = void 0;
	if (!before) return;
	before.tag.remove();
	if (window.fanlight === before.chat) before.chat?.destroy();
	tell();
}
/** Loads the chat for as long as anybody holds it: who lets go and takes it again at once changes nothing. */
function mount(options) {
	const holder = {};
	holders.add(holder);
	const unmount = () => {
		holders.delete(holder);
		queueMicrotask(() => {
			if (holders.size === 0) unload();
		});
	};
	return {
		chat: load(options),
		unmount
	};
}
export { watch as a, unload as i, load as n, mount as r, chat as t };
