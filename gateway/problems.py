"""The gateway's problem documents: one function each, so that every `type` has one home.

Each says what is wrong and what to do about it. None repeats what a visitor wrote.
"""

from __future__ import annotations

import logging
import math

from core.encoding import timestamp
from core.errors import Conflict, NotFound, Problem, Unavailable

log = logging.getLogger("fanlight")


def invalid(field: str, detail: str, remedy: str = "Correct this field and send again.") -> Problem:
    """A body or parameter that is not of its form."""
    return Problem("invalid-request", 400, "Invalid request", detail, field, remedy)


def not_json(detail: str) -> Problem:
    """A body that is no JSON object."""
    remedy = "Send one JSON object as UTF-8 with Content-Type: application/json."
    return Problem("not-json", 400, "The body is not JSON", detail, remedy=remedy)


def unsupported_media_type(got: str) -> Problem:
    """A body declared as something other than JSON."""
    return Problem(
        "unsupported-media-type",
        415,
        "Unsupported media type",
        f"The body is declared as {got[:80]!r}.",
        "content-type",
        "Send application/json.",
    )


def too_large(limit: int) -> Problem:
    """A body over the limit in bytes."""
    return Problem(
        "too-large",
        413,
        "The body is too large",
        f"A body may have {limit} bytes at most.",
        remedy="Send a shorter question or a shorter conversation tail.",
    )


def not_found(what: str) -> Problem:
    """Nothing of that name, or not this caller's."""
    return Problem("not-found", 404, "Not found", f"There is no such {what} here.")


def method_not_allowed(allow: str) -> Problem:
    """A path that exists, asked by another method."""
    return Problem(
        "method-not-allowed",
        405,
        "Method not allowed",
        "This address does not take that method.",
        remedy=f"Use {allow}." if allow else None,
        headers={"allow": allow} if allow else {},
    )


def unknown_site(detail: str = "No site has this key.") -> Problem:
    """A site key that this gateway does not serve."""
    remedy = "Check data-site in the embed snippet against fanlight.toml."
    return Problem("unknown-site", 404, "Unknown site", detail, "site_key", remedy)


def wrong_origin(origin: str) -> Problem:
    """A browser call from a page of another origin."""
    return Problem(
        "wrong-origin",
        403,
        "Wrong origin",
        f"Calls from {origin[:120]!r} are not taken here.",
        "origin",
        "Embed the panel by its iframe; its calls then come from the gateway's own origin.",
    )


def unauthorised(detail: str) -> Problem:
    """No valid token or cookie."""
    return Problem(
        "unauthorised", 401, "Not signed in", detail, remedy="Open a new session and send again."
    )


def forbidden(name: str, detail: str) -> Problem:
    """A caller that is known and may not."""
    return Problem(name, 403, "Not allowed", detail)


def bad_signature(detail: str) -> Problem:
    """A signature, digest or covered set that does not hold."""
    return Problem(
        "bad-signature",
        401,
        "The signature does not hold",
        detail,
        "signature",
        "Sign the request again, exactly as it is sent.",
    )


def stale(detail: str, now: float) -> Problem:
    """A request outside its time window; carries the server's time for one correction."""
    return Problem(
        "stale-request",
        401,
        "The request is not fresh",
        detail,
        "signature-input",
        "Correct the clock by server_time and sign again.",
        extra={"server_time": timestamp(now)},
    )


def replayed() -> Problem:
    """A nonce that was used before."""
    return Problem(
        "replayed-request",
        401,
        "The request was sent before",
        "Its nonce has been used.",
        "signature-input",
        "Sign again with a new nonce.",
    )


def bad_challenge(detail: str) -> Problem:
    """A challenge that is forged, expired, used or unsolved."""
    remedy = "Ask for a new challenge and solve it."
    return Problem("bad-challenge", 400, "The challenge does not hold", detail, "challenge", remedy)


def too_many(retry_after_s: float) -> Problem:
    """A quota that is spent."""
    seconds = max(1, math.ceil(retry_after_s))
    return Problem(
        "too-many-requests",
        429,
        "Too many requests",
        f"The limit is reached; it is lifted in {seconds} s.",
        remedy=f"Wait {seconds} s and send again.",
        headers={"retry-after": str(seconds)},
    )


def turn_exists() -> Problem:
    """A turn id that already stands for an answered question."""
    return Problem(
        "turn-exists",
        422,
        "The turn has been answered",
        "This turn_id already stands for another call.",
        "turn_id",
        "Make a new turn_id for a new question.",
    )


def in_progress() -> Problem:
    """The same idempotent call is still running."""
    return Problem(
        "in-progress",
        409,
        "The same call is still running",
        "A call with this Idempotency-Key has not finished.",
        "idempotency-key",
        "Wait and send it again, or read the conversation's events.",
        headers={"retry-after": "1"},
    )


def key_reused() -> Problem:
    """An idempotency key that came with another body."""
    return Problem(
        "idempotency-key-reused",
        422,
        "The Idempotency-Key was used for another body",
        "This key already stands for a different request.",
        "idempotency-key",
        "Use a new key for a new request.",
    )


def conflict() -> Problem:
    """Two calls of one session raced, and this one lost."""
    return Problem(
        "conflict",
        409,
        "Another call came first",
        "The session's state moved while this call ran.",
        remedy="Send it again.",
        headers={"retry-after": "1"},
    )


def unavailable(detail: str) -> Problem:
    """Something that the gateway depends on is down."""
    return Problem(
        "unavailable",
        503,
        "Temporarily unavailable",
        detail,
        remedy="Send the same request again in a few seconds, with the same Idempotency-Key.",
        headers={"retry-after": "5"},
    )


def internal() -> Problem:
    """A flaw of ours; the log has the rest under the correlation id."""
    return Problem(
        "internal",
        500,
        "Something went wrong here",
        "The request was not carried out.",
        remedy="Send it again; if it stays, tell the site's owner.",
    )


def of(error: BaseException) -> Problem:
    """The problem that stands for any error that reached the edge.

    What is none of ours is logged with its traceback and told as `internal`.
    """
    match error:
        case Problem():
            return error
        case NotFound():
            return not_found("thing")
        case Conflict():
            return conflict()
        case Unavailable():
            log.warning("unavailable: %s", error)
            return unavailable("A part of the gateway did not answer in time.")
    log.error("internal error", exc_info=error)
    return internal()
