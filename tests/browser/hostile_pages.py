"""Host pages that make it hard for whatever is embedded in them, as tables for the tests.

`{tag}` becomes the site's tag, `{gateway}` the gateway's origin. A page of `WORKING` shows the
launcher, and the panel answers; one of `REFUSING` has broken what nobody can do without, and there
the chat stays away, the page goes on, and the console says why, once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

AFTER: Final = "<script>document.documentElement.dataset.wentOn = ''</script>"


@dataclass(frozen=True, slots=True)
class HostPage:
    """A document, and the headers that it comes with."""

    document: str
    headers: Mapping[str, str] = field(default_factory=dict)


def styled(rules: str) -> HostPage:
    """A page whose own style reaches for everything."""
    return HostPage(
        f"<!doctype html><html lang=en><head><style>{rules}</style></head>"
        f"<body><p>Shop</p><div>Goods</div>{{tag}}{AFTER}</body></html>"
    )


def scripted(before: str) -> HostPage:
    """A page whose own script runs before the tag."""
    return HostPage(
        f"<!doctype html><html lang=en><head><script>{before}</script></head>"
        f"<body><p>Shop</p>{{tag}}{AFTER}</body></html>"
    )


def policed(policy: str, tag: str = "{tag}") -> HostPage:
    """A page under a policy; its own script has the nonce."""
    after = AFTER.replace("<script>", "<script nonce=r4nd0m>")
    return HostPage(
        f"<!doctype html><html lang=en><body><p>Shop</p>{tag}{after}</body></html>",
        {"content-security-policy": policy},
    )


def isolated(embedder: str) -> HostPage:
    """A page that asks to be isolated from other origins."""
    headers = {
        "cross-origin-embedder-policy": embedder,
        "cross-origin-opener-policy": "same-origin",
    }
    return HostPage(styled("").document, headers)


TALL: Final = "<div style='height:3000px;background:linear-gradient(#eee,#999)'></div>"

WORKING: Final[dict[str, HostPage]] = {
    "everything unset": styled("* { all: unset !important }"),
    "everything hidden": styled(
        "html > *:not(head):not(body), div, button, iframe, span, svg { display: none !important;"
        " visibility: hidden !important; opacity: 0 !important; pointer-events: none !important }"
    ),
    "everything moved away": styled(
        "html > * { position: static !important; transform: scale(0) !important; width: 0;"
        " clip-path: circle(0) !important; filter: opacity(0) !important; zoom: 0.01 !important;"
        " content-visibility: hidden !important; contain: strict !important }"
    ),
    "a layer over all that is as high as can be": HostPage(
        "<!doctype html><html><body><div style='position:fixed;inset:0;z-index:2147483647;"
        f"background:rgb(200 200 200/.5)'></div>{{tag}}{AFTER}</body></html>"
    ),
    "a transformed body that scrolls": HostPage(
        "<!doctype html><html style='height:100%;overflow:hidden'><body style='margin:0;"
        "height:100%;overflow:auto;transform:translateZ(0) scale(.9);filter:grayscale(1)'>"
        f"{TALL}{{tag}}{AFTER}</body></html>"
    ),
    "no doctype": HostPage(
        f"<html><body bgcolor=white><font>Shop</font>{{tag}}<script>document.write('<p>old</p>')"
        f"</script>{AFTER}</body></html>"
    ),
    "written by document.write": HostPage(
        "<html><body><script>document.write('<p>Shop</p>' + `{tag}`.replace('<!', '<'))</script>"
        f"{AFTER}</body></html>".replace("{tag}", "{written_tag}")
    ),
    "a tag in the head, before there is a body": HostPage(
        f"<!doctype html><html><head>{{sync_tag}}</head><body><p>Shop</p>{AFTER}</body></html>"
    ),
    "no body but the implied one": HostPage(f"<!doctype html><title>Shop</title>{{tag}}{AFTER}"),
    "two tags": HostPage(f"<!doctype html><body>{{tag}}<p>Shop</p>{{tag}}{AFTER}</body>"),
    "a base elsewhere": HostPage(
        "<!doctype html><html><head><base href='https://elsewhere.example/x/' target=_blank></head>"
        f"<body>{{tag}}{AFTER}</body></html>"
    ),
    "an element called fanlight": HostPage(
        f"<!doctype html><body><form id=fanlight name=fanlight></form>{{tag}}{AFTER}</body>"
    ),
    "arrays with more": scripted(
        "Array.prototype.extra = function () {}; Array.prototype.toJSON = () => 'no';"
        "Object.prototype.extra = 1; Object.prototype.toJSON = () => 'no';"
        "String.prototype.toJSON = () => 'no'; Function.prototype.extra = 1;"
    ),
    "another JSON, another Promise, another fetch": scripted(
        "JSON.stringify = JSON.parse = () => { throw new Error('mine') };"
        "window.Promise = function () { throw new Error('mine') };"
        "window.fetch = window.XMLHttpRequest = () => { throw new Error('mine') };"
    ),
    "no custom elements, no observers": scripted(
        "Object.defineProperty(window, 'customElements', { value: undefined });"
        "window.MutationObserver = window.IntersectionObserver = undefined;"
        "window.Map = window.Set = window.WeakMap = undefined;"
    ),
    "what libraries of 2010 leave behind": scripted(
        "Array.from = (from) => [].slice.call(from);"
        "Array.prototype.reduce = function () { return this.length > 1 ? this : this[0] };"
        "Array.prototype.find = Array.prototype.filter; Array.prototype.at = () => undefined;"
        "Array.prototype.flat = Array.prototype.first = function () { return this[0] };"
        "Array.prototype.contains = Array.prototype.includes;"
        "Element.prototype.hide = Element.prototype.toggle = function () { return this };"
        "Element.prototype.remove = function () { this.parentNode.removeChild(this); return this };"
        "Function.prototype.bind = function (to) { return () => this.apply(to, arguments) };"
        "window.$ = window.Element.extend = () => null; window.name = 'fanlight';"
    ),
    "others' words to the window": scripted(
        "setInterval(() => { for (const data of [null, 1, 'x', { fanlight: 1, type: 'close' },"
        " { fanlight: 1, type: 'unread', count: '<b>' }]) postMessage(data, '*') }, 50);"
    ),
    "a policy with a nonce": policed(
        "default-src 'none'; script-src 'nonce-r4nd0m'; frame-src {gateway}", "{nonce_tag}"
    ),
    "a policy with strict-dynamic, and Trusted Types": policed(
        "default-src 'none'; script-src 'nonce-r4nd0m' 'strict-dynamic' https: 'unsafe-inline';"
        " frame-src {gateway}; base-uri 'none'; require-trusted-types-for 'script';"
        " trusted-types 'none'",
        "{nonce_tag}",
    ),
    "cross-origin isolated": isolated("require-corp"),
    "cross-origin isolated without credentials": isolated("credentialless"),
}

REFUSING: Final[dict[str, HostPage]] = {
    "no shadow DOM": scripted("delete Element.prototype.attachShadow;"),
    "no constructed style sheets": scripted("window.CSSStyleSheet = undefined;"),
    "arrays that cannot be walked": scripted(
        "Array.prototype[Symbol.iterator] = function () { throw new Error('mine') };"
    ),
    "an event target that throws": scripted(
        "window.EventTarget = class { constructor() { throw new Error('mine') } };"
    ),
    "a tag without a site": HostPage(
        '<!doctype html><body><script src="{gateway}/loader.js" async></script>'
        f"<p>Shop</p>{AFTER}</body>"
    ),
    "a tag in a shadow tree": HostPage(
        "<!doctype html><body><div id=app></div><script>"
        "const root = document.getElementById('app').attachShadow({ mode: 'open' });"
        "const tag = document.createElement('script');"
        "tag.src = '{gateway}/loader.js'; tag.dataset.site = 'site_demo'; root.append(tag);"
        f"</script>{AFTER}</body>"
    ),
}
