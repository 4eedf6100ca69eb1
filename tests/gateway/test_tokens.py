"""The gateway's own tokens: what is read, and what is refused."""

import pytest

from core import jose
from gateway.adapters.crypto import LocalSigner, LocalVerifier
from gateway.tokens import ACCESS, CHALLENGE, Tokens
from tests.gateway.world import Time


def tokens(signer: LocalSigner, time: Time, issuer: str = "http://gateway") -> Tokens:
    """The tokens of one gateway."""
    return Tokens(signer, LocalVerifier(), time, issuer)


async def test_a_token_is_read_until_it_expires() -> None:
    time = Time()
    made = tokens(LocalSigner.generate(), time)
    token = await made.issue(ACCESS, {"sid": "s"}, 600)
    for _ in range(2):
        assert (await made.read(ACCESS, token))["sid"] == "s"
    time.now += 600
    with pytest.raises(ValueError, match="expired"):
        await made.read(ACCESS, token)


async def test_tokens_of_another_type_key_or_gateway_are_refused() -> None:
    time, signer = Time(), LocalSigner.generate()
    made = tokens(signer, time)
    token = await made.issue(CHALLENGE, {}, 600)
    with pytest.raises(ValueError, match="another type or key"):
        await made.read(ACCESS, token)
    with pytest.raises(ValueError, match="another type or key"):
        await tokens(LocalSigner.generate(), time).read(CHALLENGE, token)
    with pytest.raises(ValueError, match="another gateway"):
        await tokens(signer, time, "http://other").read(CHALLENGE, token)


async def test_a_forged_signature_is_refused() -> None:
    made = tokens(LocalSigner.generate(), Time())
    parts = jose.split(await made.issue(ACCESS, {}, 600))
    forged = jose.join(parts.signed, bytes(64))
    with pytest.raises(ValueError, match="does not hold"):
        await made.read(ACCESS, forged)


async def test_only_so_many_tokens_are_remembered() -> None:
    made = tokens(LocalSigner.generate(), Time())
    for number in range(4_100):
        await made.read(ACCESS, await made.issue(ACCESS, {"n": number}, 600))
    assert len(made._verified) == 4_096
