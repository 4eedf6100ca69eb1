"""Receipts: their claims, and the chain that shows a missing one."""

from dataclasses import asdict, replace

from core import jose
from core.digest import sha256_hex
from core.receipts import TYP, Receipt, chain_hash
from gateway.adapters.crypto import LocalSigner, LocalVerifier

FIRST = Receipt(
    turn_id="t_" + "0" * 32,
    site="site_demo",
    sid="s",
    question_sha256=sha256_hex("¿Qué?"),
    answer_sha256=sha256_hex("Eso."),
    model="m",
    model_release=None,
    confidence=0.5,
    provenance="server",
    escalate=False,
    prev=None,
    iat=1,
)


async def issue(signer: LocalSigner, receipt: Receipt) -> str:
    signed = receipt.signing_input(jose.thumbprint(dict(signer.jwk)))
    return jose.join(signed, await signer.sign(signed))


async def test_a_receipt_carries_its_claims_and_verifies() -> None:
    signer = LocalSigner.generate()
    taken = jose.split(await issue(signer, FIRST))
    assert taken.typ == TYP
    assert taken.payload == asdict(FIRST)
    assert await LocalVerifier().verify(signer.jwk, taken.signed, taken.signature)


async def test_a_missing_or_reordered_receipt_breaks_the_chain() -> None:
    signer = LocalSigner.generate()
    first = await issue(signer, FIRST)
    second = await issue(signer, replace(FIRST, turn_id="t_" + "1" * 32, prev=chain_hash(first)))
    third = await issue(signer, replace(FIRST, turn_id="t_" + "2" * 32, prev=chain_hash(second)))

    def whole(chain: list[str]) -> bool:
        expected = [None, *(chain_hash(receipt) for receipt in chain)]
        found = [jose.split(receipt).payload["prev"] for receipt in chain]
        return found == expected[: len(chain)]

    assert whole([first, second, third])
    assert not whole([first, third])
    assert not whole([second, third])
    assert not whole([first, third, second])


def test_the_chain_is_hashed_over_the_whole_token() -> None:
    assert chain_hash("a.b.c") == sha256_hex("a.b.c") != chain_hash("a.b.d")
