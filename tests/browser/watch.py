"""What a browser complained of while a test ran: errors, warnings and refused policies.

A test fails on any complaint that it did not expect.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from playwright.async_api import BrowserContext, ConsoleMessage, Dialog, Request, WebError

REPORT_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) => {
  console.error(`CSP: ${event.effectiveDirective} refused ${event.blockedURI} ${event.sample}`);
});
"""
# How the console finds out that nobody is logged in yet.
NOT_LOGGED_IN = r"status of 401 .*/v1/operator/session"
# A gateway that has just begun refuses what was signed in its first second; it is signed again.
JUST_BEGUN = r"status of 401 .*/v1/"
NO_NETWORK = (
    r"net::ERR_(INTERNET_DISCONNECTED|NETWORK_CHANGED|CONNECTION_\w+|EMPTY_RESPONSE|FAILED"
    r"|INCOMPLETE_CHUNKED_ENCODING)"
    # Said of a service worker whose script was on its way.
    r"|An unknown error occurred when fetching the script"
)


@dataclass
class Watch:
    """The complaints of one browser context, and every address that it asked for."""

    complaints: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    expected: list[str] = field(default_factory=lambda: [NOT_LOGGED_IN])

    async def over(self, context: BrowserContext) -> None:
        """Begin to watch."""
        await context.add_init_script(REPORT_VIOLATIONS)
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("dialog", self._dialog)
        context.on("request", self._request)

    def expect(self, pattern: str) -> None:
        """Let complaints that match this pattern pass."""
        self.expected.append(pattern)

    def asked(self, part: str) -> list[str]:
        """The addresses that were asked for and hold `part`."""
        return [request.url for request in self.requests if part in request.url]

    def unexpected(self) -> list[str]:
        """The complaints that no pattern covers."""
        return [
            line
            for line in self.complaints
            if not any(re.search(pattern, line) for pattern in self.expected)
        ]

    def _request(self, request: Request) -> None:
        self.requests.append(request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            place = message.location.get("url", "")
            self.complaints.append(f"{message.type}: {message.text} ({place})")

    def _error(self, error: WebError) -> None:
        self.complaints.append(f"uncaught: {error.error}")

    async def _dialog(self, dialog: Dialog) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        await dialog.dismiss()
