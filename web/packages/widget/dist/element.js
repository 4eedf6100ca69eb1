import { r as mount } from "./load.js";
// packages/widget/src/element.ts
/**
* `<fanlight-chat gateway="…" site="…">`: the chat for as long as the element is in the page.
*
* Decides: that its attributes are the tag's, its methods those of `window.fanlight`, and its events those
* that the chat tells, with their `detail`. The launcher is drawn in the corner, not where the element is.
*/
var ATTRIBUTES = [...[
	"gateway",
	"site",
	"locale",
	"position",
	"accent"
], ...["identity", "integrity"]];
var EVENTS = [...[
	"ready",
	"open",
	"close",
	"message"
], ...[
	"escalated",
	"reply",
	"unread",
	"error"
]];
/** On a server there is none; the class is there all the same, and of no use. */
var Base = globalThis.HTMLElement ?? class {};
var FanlightChat = class extends Base {
	static observedAttributes = ATTRIBUTES;
	#mounted;
	#source;
	#settling = false;
	/** Calls from before the chat was wanted. */
	#early = [];
	#known = /* @__PURE__ */ new WeakSet();
	connectedCallback() {
		this.#settle();
	}
	disconnectedCallback() {
		this.#settle();
	}
	attributeChangedCallback() {
		this.#settle();
	}
	open() {
		this.#call((chat) => chat.open());
	}
	close() {
		this.#call((chat) => chat.close());
	}
	ask(text) {
		this.#call((chat) => chat.ask(text));
	}
	setLocale(locale) {
		this.setAttribute("locale", locale);
	}
	identify(source) {
		this.#source = source ?? void 0;
		if (!source) this.removeAttribute("identity");
		this.#settle();
	}
	/** Once for all that changes in one go: an element that is moved keeps its chat. */
	#settle() {
		if (this.#settling) return;
		this.#settling = true;
		queueMicrotask(() => {
			this.#settling = false;
			const before = this.#mounted;
			const options = this.isConnected ? this.#options() : void 0;
			const mounted = options && mount(options);
			this.#mounted = mounted;
			before?.unmount();
			mounted?.chat.then((chat) => this.#meet(chat), () => this.#fail(mounted));
		});
	}
	#options() {
		const read = (name) => this.getAttribute(name) ?? void 0;
		const [gateway, site, position] = [
			read("gateway"),
			read("site"),
			read("position")
		];
		if (!gateway || !site) return void 0;
		return {
			gateway,
			site,
			locale: read("locale"),
			position: position === "left" || position === "right" ? position : void 0,
			accent: read("accent"),
			identity: this.#source ?? read("identity"),
			integrity: read("integrity"),
			nonce: this.nonce || void 0
		};
	}
	#meet(chat) {
		if (!this.#known.has(chat)) {
			this.#known.add(chat);
			for (const name of EVENTS) chat.on(name, (detail) => this.dispatchEvent(new CustomEvent(name, { detail })));
		}
		for (const call of this.#early.splice(0)) call(chat);
	}
	/** Not where another has taken its place. */
	#fail(mounted) {
		if (mounted !== this.#mounted) return;
		this.dispatchEvent(new CustomEvent("error", { detail: { reason: "unreachable" } }));
	}
	#call(call) {
		this.#early.push(call);
		this.#mounted?.chat.then((chat) => this.#meet(chat), () => void 0);
	}
};
if (globalThis.customElements && !customElements.get("fanlight-chat")) customElements.define("fanlight-chat", FanlightChat);
export { FanlightChat };
