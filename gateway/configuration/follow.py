"""Settings on another port than the one they name: what follows, and what stays.

Local addresses (localhost and its subdomains) follow the port, because nothing else tells a browser
where to go. A public address stays: a proxy stands before it.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.configuration.addresses import BadAddress, is_local, parse_origin
from gateway.settings import Settings


def with_port(settings: Settings, port: int) -> Settings:
    """The same settings, listening on `port`."""
    return replace(
        settings,
        port=port,
        public_url=_followed(settings.public_url, settings.port, port),
        console_url=_followed(settings.console_url, settings.port, port),
    )


def _followed(url: str, old: int, new: int) -> str:
    try:
        address = parse_origin(url)
    except BadAddress:
        return url
    if is_local(address.host) and address.port == old:
        return replace(address, port=new).origin
    return url
