"""The gateway's own tokens: what is read, and what is refused."""

import pytest

from core import jose
from gateway.adapters.crypto import LocalSigner, LocalVerifier
from gateway.keys import OneKey
from gateway.tokens import ACCESS, CHALLENGE, LONGEST_TOKEN_S, Tokens
from tests.gateway.world import START, Time

NOW = int(START)


def tokens(signer: LocalSigner, time: Time, issuer: str = "http://gateway") -> Tokens:
    """The tokens of one gateway."""
    return Tokens(OneKey(signer), LocalVerifier(), time, issuer)


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


LIVES: dict[str, tuple[dict[str, object], str | None]] = {
    "the longest": ({"iat": NOW, "exp": NOW + LONGEST_TOKEN_S}, None),
    "made by a clock that is ahead": ({"iat": NOW + 60, "exp": NOW + 660}, None),
    "a second more": ({"iat": NOW, "exp": NOW + LONGEST_TOKEN_S + 1}, "lives longer"),
    "a year": ({"iat": NOW, "exp": NOW + 31_536_000}, "lives longer"),
    "ten minutes, in a year": ({"iat": NOW + 31_535_400, "exp": NOW + 31_536_000}, "lives longer"),
    "no end": ({"iat": NOW}, "how long"),
    "no beginning": ({"exp": NOW + 600}, "how long"),
    "an end in words": ({"iat": NOW, "exp": "never"}, "how long"),
}


@pytest.mark.parametrize("name", LIVES)
async def test_a_token_lives_as_long_as_one_that_is_issued_whoever_made_it(name: str) -> None:
    signer, (life, refused) = LocalSigner.generate(), LIVES[name]
    claims = {"iss": "http://gateway", **life}
    signed = jose.signing_input(claims, OneKey(signer).signing[0], ACCESS)
    token = jose.join(signed, await signer.sign(signed))
    made = tokens(signer, Time())
    if refused is None:
        assert await made.read(ACCESS, token) == claims
    else:
        with pytest.raises(ValueError, match=refused):
            await made.read(ACCESS, token)


async def test_only_so_many_tokens_are_remembered() -> None:
    made = tokens(LocalSigner.generate(), Time())
    for number in range(4_100):
        await made.read(ACCESS, await made.issue(ACCESS, {"n": number}, 600))
    assert len(made._verified) == 4_096
