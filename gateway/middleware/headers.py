"""Security headers on every response, unless the route has set its own."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send


def permissions_policy(*, microphone: bool = False) -> str:
    """What a document may ask the visitor's device for: nothing, or the microphone alone."""
    allowed = "(self)" if microphone else "()"
    return f"camera=(), geolocation=(), microphone={allowed}, payment=(), usb=()"


DEFAULTS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"permissions-policy", permissions_policy().encode()),
)
STRICT_TRANSPORT = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")


class SecurityHeadersMiddleware:
    """Adds the default headers; with `https`, strict transport security too."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        self._defaults = (*DEFAULTS, STRICT_TRANSPORT) if https else DEFAULTS
        self._names = frozenset(name for name, _ in self._defaults)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message.setdefault("headers", [])
                present = {name.lower() for name, _ in headers}
                if self._names.isdisjoint(present):
                    headers.extend(self._defaults)
                else:
                    headers.extend(pair for pair in self._defaults if pair[0] not in present)
            await send(message)

        await self._app(scope, receive, send_with_headers)
