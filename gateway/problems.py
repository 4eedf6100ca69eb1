"""The gateway's problem documents: one function each, so that every `type` has one home.

Each says what is wrong and what to do about it. None repeats what a visitor wrote.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import Final

from core.encoding import timestamp
from core.errors import Conflict, Ended, NotFound, Problem, Unavailable
from core.workshop import WorkFailed

log = logging.getLogger("fanlight")

SHORTER_CALL: Final = "Send a shorter question or a shorter conversation tail."
SHORTER_TEXTS: Final = "Shorten its texts."
"""The same for an operator."""


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


def too_large(limit: int, remedy: str = SHORTER_CALL) -> Problem:
    """A body over the limit in bytes."""
    return Problem(
        "too-large",
        413,
        "The body is too large",
        f"A body may have {limit} bytes at most.",
        remedy=remedy,
    )


def too_slow(seconds: float) -> Problem:
    """A body that did not come."""
    return Problem(
        "too-slow",
        408,
        "The body did not come in time",
        f"It was not whole after {seconds:g} s.",
        remedy="Send the same request again.",
        headers={"connection": "close"},
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
        "Embed the panel by its iframe; its calls then come from the gateway's own origin. Pages "
        "that use the API name their origin in the site's `api_origins`.",
    )


def unauthorised(detail: str) -> Problem:
    """No valid token or cookie."""
    return Problem(
        "unauthorised", 401, "Not signed in", detail, remedy="Open a new session and send again."
    )


def bad_api_key() -> Problem:
    """No site has this API key."""
    return Problem(
        "unauthorised",
        401,
        "No such API key",
        "This call needs a site's API key as its bearer token.",
        remedy="Send `Authorization: Bearer` with the key of FANLIGHT_SITE_<KEY>_API_KEY.",
        headers={"www-authenticate": "Bearer"},
    )


def session_ended() -> Problem:
    """A session that the visitor, or an operator, ended before its time."""
    return Problem(
        "session-ended",
        401,
        "The session was ended",
        "This session was ended and takes no more calls.",
        remedy="Open a new session.",
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


def bad_identity(detail: str) -> Problem:
    """A site's word for who a visitor is, which does not hold."""
    remedy = "Have the site's server sign a new identity_jwt, or open the session without one."
    return Problem(
        "bad-identity", 400, "The identity does not hold", detail, "identity_jwt", remedy
    )


def too_many(retry_after_s: float, fields: Mapping[str, str] | None = None) -> Problem:
    """A quota that is spent; `fields` say which."""
    seconds = max(1, math.ceil(retry_after_s))
    return Problem(
        "too-many-requests",
        429,
        "Too many requests",
        f"The limit is reached; it is lifted in {seconds} s.",
        remedy=f"Wait {seconds} s and send again.",
        headers={"retry-after": str(seconds), **(fields or {})},
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


def asked_since() -> Problem:
    """An escalation that was to be resolved has a turn that the operator had not seen."""
    return Problem(
        "asked-since",
        409,
        "The visitor asked something more",
        "It stays open: a turn was added that was not there when you resolved it.",
        "seen",
        "Read the escalation again, and resolve it once the last turn is answered too.",
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


def turn_in_progress() -> Problem:
    """A turn is under way, and this call would be a second one of the same id."""
    return Problem(
        "in-progress",
        409,
        "The turn is still running",
        "A call with this turn_id has not finished.",
        "turn_id",
        "Wait and send it again; a new question needs a turn_id of its own.",
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


def entry_exists() -> Problem:
    """A new entry whose place is taken."""
    return Problem(
        "entry-exists",
        409,
        "The entry exists",
        "There is an entry with this id in this locale.",
        "locale",
        "Change that entry, or choose another locale.",
    )


def entry_changed() -> Problem:
    """A save that is based on an older text of its entry than the one that stands."""
    return Problem(
        "entry-changed",
        409,
        "The entry was changed",
        "Someone else changed this entry after it was opened.",
        "based_on",
        "Read it again, bring both texts together, and save with its new number.",
    )


def nothing_to_undo() -> Problem:
    """What is as its file has it, or has nothing left that could be taken back."""
    return Problem(
        "nothing-to-undo",
        409,
        "Nothing to undo",
        "Nobody has changed it in the console, or all of that was taken back.",
    )


def too_many_marks(most: int) -> Problem:
    """One mark more than are kept."""
    return Problem(
        "too-many-marks",
        409,
        "Too many marks",
        f"A site may have {most:,} marks; some fifty do.",
        remedy="Remove marks that are out of date.",
    )


def publishing() -> Problem:
    """A knowledge base that is being built."""
    return Problem(
        "publishing",
        409,
        "It is being published",
        "This knowledge base is being built already.",
        remedy="Wait until it is live, then publish again.",
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


def work_failed(detail: str) -> Problem:
    """Work on a knowledge base that gave no result; only operators ask for any."""
    remedy = "Do what it says, or try again."
    return Problem("work-failed", 503, "It could not be done", detail, remedy=remedy)


def busy(what: str) -> Problem:
    """As much at once as the gateway takes on."""
    return Problem(
        "busy",
        503,
        "Too much at once",
        f"The gateway has as many {what} under way as it takes on.",
        remedy="Send the same request again in a few seconds, with the same Idempotency-Key.",
        headers={"retry-after": "3"},
    )


def internal() -> Problem:
    """A flaw of ours; the log has the rest."""
    return Problem(
        "internal",
        500,
        "Something went wrong here",
        "The request was not carried out.",
        remedy="Send it again; if it stays, tell the site's owner.",
    )


def of(error: BaseException, turn: str | None = None) -> Problem:
    """The problem that stands for any error that reached the edge, where known of which turn.

    What is none of ours is logged with its traceback and told as `internal`.
    """
    about = {"turn": turn} if turn else None
    match error:
        case Problem():
            return error
        case Ended():
            return session_ended()
        case NotFound():
            return not_found("thing")
        case Conflict():
            return conflict()
        case WorkFailed():
            return work_failed(str(error))
        case Unavailable():
            log.warning("unavailable: %s", error, extra=about)
            return unavailable("A part of the gateway did not answer in time.")
    log.error("internal error", exc_info=error, extra=about)
    return internal()
