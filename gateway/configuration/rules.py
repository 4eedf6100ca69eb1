"""Rules for values that a type cannot hold: keys, colours, tokens, secrets, addresses.

Each rule is a function from a value to its normal form that notes a flaw where there is one. None
stops: what is wrong stays in place as it is, so that all flaws are found in one go.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from ipaddress import ip_address, ip_network
from typing import Final

from gateway.configuration.addresses import (
    OUTBOUND_PORTS,
    Address,
    BadAddress,
    is_private,
    parse_address,
    parse_endpoint,
    parse_origin,
)
from gateway.configuration.flaws import Flaw
from gateway.configuration.reader import hint
from gateway.configuration.site_table import LOCALES
from gateway.days import is_time_zone
from gateway.escalation.hours import EXAMPLE as HOURS_EXAMPLE
from gateway.escalation.hours import Hours, parse_hours
from gateway.escalation.severity import EXAMPLE as RULE_EXAMPLE
from gateway.escalation.severity import SeverityRule, parse_rule

SITE_KEY: Final = re.compile(r"site_[A-Za-z0-9_]{1,56}")
TARGET_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,39}")
ACCENT: Final = re.compile(r"#[0-9a-fA-F]{6}")
THEMES: Final = ("auto", "light", "dark", "contrast")
MAX_NAME: Final = 60
MIN_TOKEN: Final = 20
MIN_TOKEN_LETTERS: Final = 8
_WEAK: Final = f"This is easy to guess: under {MIN_TOKEN} characters, or too few different ones."
WEBHOOK_SECRET_BYTES: Final = range(24, 65)
FRESH_OPERATOR: Final = 'python3 -c "import secrets; print(secrets.token_urlsafe(24))"'
FRESH_SIGNING: Final = (
    "python3 -c \"import base64, secrets; print('whsec_' + "
    'base64.b64encode(secrets.token_bytes(32)).decode())"'
)


def origin(text: str, where: str, flaws: list[Flaw]) -> str:
    """An origin in the form that browsers send."""
    try:
        return parse_origin(text).origin
    except BadAddress as error:
        flaws.append(Flaw(where, error.detail, error.remedy))
        return text


def origins(texts: Iterable[str], where: str, flaws: list[Flaw]) -> tuple[str, ...]:
    """Origins in the form that browsers send, each once."""
    return tuple(dict.fromkeys(origin(text, where, flaws) for text in texts))


def endpoints(texts: Iterable[str], where: str, flaws: list[Flaw]) -> tuple[str, ...]:
    """Each `host:port` in normal form."""
    found = []
    for text in texts:
        try:
            found.append(parse_endpoint(text))
        except BadAddress as error:
            flaws.append(Flaw(where, error.detail, error.remedy))
    return tuple(found)


def networks(texts: Iterable[str], where: str, flaws: list[Flaw]) -> tuple[str, ...]:
    """Each address or network in normal form."""
    found = []
    for text in texts:
        try:
            found.append(str(ip_network(text)))
        except ValueError:
            detail = f"{text!r} is no address or network."
            flaws.append(Flaw(where, detail, 'Write an address, or a network as "10.0.0.0/8".'))
    return tuple(found)


def either(
    environ: Mapping[str, str], variable: str, value: str | None, key: str
) -> tuple[str, str]:
    """The environment's value, else the file's; and which of the two names messages use."""
    if environ.get(variable):
        return environ[variable], variable
    return value or "", key if value else variable


def outbound(url: str, private: Collection[str], where: str, flaws: list[Flaw]) -> Address | None:
    """An address that the gateway will call: public https, or one that is listed as private."""
    try:
        address = parse_address(url)
    except BadAddress as error:
        flaws.append(Flaw(where, error.detail, error.remedy))
        return None
    if address.endpoint not in private:
        remedy = f'Add "{address.endpoint}" to gateway.private_endpoints if that is what you mean.'
        if is_private(address.host):
            flaws.append(Flaw(where, f"{address.host} is not a public address.", remedy))
        elif address.scheme == "http":
            flaws.append(
                Flaw(where, "Plain http lets others read and alter it.", f"Use https. {remedy}")
            )
        elif address.port not in OUTBOUND_PORTS:
            known = ", ".join(map(str, sorted(OUTBOUND_PORTS)))
            detail = f"Port {address.port} is not one of {known}."
            flaws.append(Flaw(where, detail, f"Use one of them. {remedy}"))
    return address


def site_key(key: str, where: str, flaws: list[Flaw]) -> str:
    """A site's public key."""
    if key and not SITE_KEY.fullmatch(key):
        remedy = "Write site_ and up to 56 letters, digits or _, such as site_shop."
        flaws.append(Flaw(where, f"{key!r} is not a site key.", remedy))
    return key


def site_name(name: str, where: str, flaws: list[Flaw]) -> str:
    """The name that visitors read."""
    if len(name) > MAX_NAME or not name.isprintable():
        remedy = f"Use one line of at most {MAX_NAME} characters."
        flaws.append(Flaw(where, "The name is too long, or has line breaks.", remedy))
    return name


def time_zone(name: str, where: str, flaws: list[Flaw]) -> str:
    """A time zone's name, as IANA has it."""
    if not is_time_zone(name):
        detail = f"{name!r} is no time zone that this machine knows."
        flaws.append(Flaw(where, detail, "Write a name such as Europe/Madrid, or UTC."))
    return name


def hours(text: str, where: str, flaws: list[Flaw]) -> Hours | None:
    """Working hours; None where none are given."""
    if not text:
        return None
    try:
        return parse_hours(text)
    except ValueError as error:
        flaws.append(Flaw(where, f"{error}.", f'Write it like "{HOURS_EXAMPLE}".'))
        return None


def severity(texts: Iterable[str], where: str, flaws: list[Flaw]) -> tuple[SeverityRule, ...]:
    """Rules of severity, in their order."""
    found = []
    for text in texts:
        try:
            found.append(parse_rule(text))
        except ValueError as error:
            remedy = f'Write it like "{RULE_EXAMPLE}", "always = critical" or "* = info".'
            flaws.append(Flaw(where, f"{error}.", remedy))
    return tuple(found)


def accent(colour: str, where: str, flaws: list[Flaw]) -> str:
    """A colour as `#rrggbb`."""
    if not ACCENT.fullmatch(colour):
        flaws.append(Flaw(where, f"{colour!r} is not a colour.", "Write it like #1f5fbf."))
    return colour.lower()


def locales(names: Sequence[str], where: str, flaws: list[Flaw]) -> tuple[str, ...]:
    """The panel's languages, each once."""
    for name in names:
        if name not in LOCALES:
            remedy = (
                f"The panel speaks {', '.join(LOCALES)}; entries of other languages still work."
            )
            flaws.append(Flaw(where, f"The panel has no words in {name!r}.", remedy))
    if not names:
        flaws.append(Flaw(where, "This is empty.", f"List at least one of {', '.join(LOCALES)}."))
    return tuple(dict.fromkeys(names))


def one_of(name: str, known: Collection[str], what: str, where: str, flaws: list[Flaw]) -> str:
    """A name that must be known."""
    if name and name not in known:
        listed = f"Known: {', '.join(known)}." if known else f"Define a {what} of that name first."
        flaws.append(Flaw(where, f"There is no {what} {name!r}.", hint(name, known, listed)))
    return name


def unrepeated(names: Iterable[str], section: str, what: str, flaws: list[Flaw]) -> None:
    """No name may be used twice."""
    seen: set[str] = set()
    for name in names:
        if name and name in seen:
            detail = f"The {what} {name!r} is there twice."
            flaws.append(Flaw(f"{section}[{name}].{what}", detail, "Rename one, or join the two."))
        seen.add(name)


def target_name(name: str, where: str, flaws: list[Flaw]) -> str:
    """A target's name, fit to stand in an environment variable."""
    if name and not TARGET_NAME.fullmatch(name):
        remedy = "Begin with a small letter; then small letters, digits, _ or -, 40 at most."
        flaws.append(Flaw(where, f"{name!r} is not a target's name.", remedy))
    return name


def webhook_secret(secret: str, variable: str, flaws: list[Flaw]) -> str:
    """A Standard Webhooks secret: `whsec_` and the base64 of 24 to 64 bytes."""
    remedy = f"Make one: {FRESH_SIGNING}"
    if not secret:
        flaws.append(Flaw(variable, "This webhook has no signing secret.", f"Set it. {remedy}"))
        return secret
    try:
        size = len(base64.b64decode(secret.removeprefix("whsec_"), validate=True))
    except (binascii.Error, ValueError):
        size = 0
    if not secret.startswith("whsec_") or size not in WEBHOOK_SECRET_BYTES:
        detail = "This is not whsec_ and the base64 of 24 to 64 bytes."
        flaws.append(Flaw(variable, detail, remedy))
    return secret


def operator_token(token: str, flaws: list[Flaw]) -> str:
    """The console's token: long and varied enough that nobody guesses it."""
    variable, remedy = "FANLIGHT_OPERATOR_TOKEN", f"Make one: {FRESH_OPERATOR}"
    if not token:
        flaws.append(
            Flaw(variable, "No operator could sign in to the console.", f"Set it. {remedy}")
        )
    elif _is_weak(token):
        flaws.append(Flaw(variable, _WEAK, remedy))
    return token


def metrics_token(token: str, flaws: list[Flaw]) -> str:
    """The token that figures are read with; none is fine, and then nobody reads them."""
    if token and _is_weak(token):
        flaws.append(Flaw("FANLIGHT_METRICS_TOKEN", _WEAK, f"Make one: {FRESH_OPERATOR}"))
    return token


def api_key(key: str, variable: str, flaws: list[Flaw]) -> str:
    """What a site's own server calls with; none is fine, and then none does."""
    if key and _is_weak(key):
        flaws.append(Flaw(variable, _WEAK, f"Make one: {FRESH_OPERATOR}"))
    return key


def _is_weak(token: str) -> bool:
    return len(token) < MIN_TOKEN or len(set(token)) < MIN_TOKEN_LETTERS


def listen_host(host: str, where: str, flaws: list[Flaw]) -> str:
    """The IP address to listen on."""
    if host == "localhost":
        return "127.0.0.1"
    try:
        return str(ip_address(host))
    except ValueError:
        remedy = "Write an IP address: 127.0.0.1 for this machine, 0.0.0.0 for every network."
        flaws.append(Flaw(where, f"{host!r} is not an IP address.", remedy))
        return host
