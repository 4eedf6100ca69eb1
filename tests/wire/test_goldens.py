"""The golden messages: read by Python's real parsers, written again by its real writers.

The TypeScript tests read the same files. Keys in them are for tests: the visitor's is
`test-key-ecc-p256` of RFC 9421, the gateway's that of RFC 7515, appendix A.3.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from core import jose, turnstile
from core.confidence.device import FILE
from core.device import Device, prompt_json
from core.digest import content_digest, sha256_hex
from core.encoding import b64url_decode, canonical_json, is_id
from core.errors import PROBLEM_BASE, Problem
from core.escalation import escalation_id
from core.gate import judge
from core.memory_meta import Looked, Used, memory_meta
from core.messages import (
    AddedTurn,
    Attempt,
    Citation,
    Consent,
    Delivery,
    Escalation,
    EscalationRequest,
    MemoryTurn,
    Reply,
    Turn,
    Usage,
    Verdict,
    VisitorEvent,
)
from core.model_routing.spend import Account
from core.pow import is_solution
from core.receipts import TYP, Receipt, chain_hash
from core.respond import Response, document, respond_json
from core.route import Signals, route
from core.scope import Scope, anonymous
from core.signatures import Message, covered_by_profile, read_profile, signature_base
from core.subjects import (
    Feedback,
    Held,
    HeldEvent,
    HeldFeedback,
    HeldSession,
    HeldTurn,
    Place,
)
from core.trajectory import Trajectory
from gateway import problems, sse, wire
from gateway.adapters import semantics
from gateway.adapters.crypto import LocalSigner, LocalVerifier
from gateway.adapters.memory_cache import MemoryCache
from gateway.adapters.outbound import Outbound
from gateway.adapters.turnstile import SiteVerify
from gateway.configuration.identity import read_keys
from gateway.escalation import payload
from gateway.front import build_front
from gateway.identity import Identities
from gateway.routes import operator_wire
from gateway.routes.operator_sessions import OperatorSession
from gateway.routes.subjects import spent_document
from gateway.settings import IdentitySettings, Secret, TurnstileSettings
from gateway.tokens import ACCESS, CHALLENGE
from kb import Entry, Hit, Link, build_index, load_index
from scripts.stage_worker import ROOT
from tests.gateway.world import World, world
from tests.gateway.world import settings as world_settings

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("*.json"))


def golden(name: str) -> Any:
    return json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))


def packed(name: str) -> bytes:
    return canonical_json(golden(name))


def as_json(value: object) -> Any:
    """The value as it comes out of JSON: lists for tuples."""
    return json.loads(json.dumps(value))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_golden_is_written_in_one_way(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text == json.dumps(json.loads(text), ensure_ascii=False, indent=2) + "\n"


# What a client sends: through the models that the gateway checks it with.

SENT: dict[str, type[wire.Body]] = {
    "challenge_request": wire.ChallengeBody,
    "session_request": wire.SessionBody,
    "chat_request": wire.ChatBody,
    "escalation_request": wire.EscalationBody,
    "feedback_request": wire.FeedbackBody,
    "operator_reply_request": operator_wire.ReplyBody,
    "operator_resolve_request": operator_wire.ResolveBody,
}


@pytest.mark.parametrize(("name", "model"), SENT.items(), ids=SENT)
def test_a_request_is_read_and_written_unchanged(name: str, model: type[wire.Body]) -> None:
    read = wire.parse(model, packed(name))
    assert read.model_dump(mode="json", exclude_unset=True) == golden(name)


@pytest.mark.parametrize(("name", "model"), SENT.items(), ids=SENT)
def test_a_request_with_an_unknown_or_missing_field_is_refused(
    name: str, model: type[wire.Body]
) -> None:
    unknown = canonical_json({**golden(name), "role": "system"})
    with pytest.raises(Problem, match="role"):
        wire.parse(model, unknown)
    first = next(iter(golden(name)))
    missing = canonical_json({key: value for key, value in golden(name).items() if key != first})
    with pytest.raises(Problem, match=first):
        wire.parse(model, missing)


def test_the_chat_request_means_what_it_says() -> None:
    sent = golden("chat_request")
    asked = wire.parse(wire.ChatBody, packed("chat_request")).value()
    assert is_id(asked.turn_id, "t")
    assert is_id(asked.conversation_id, "c")
    assert asked.question == sent["message"]["content"]
    assert asked.training_memory[1] == MemoryTurn(**sent["training_memory"][1])
    assert asked.gate == sent["metadata"]["gate"]
    assert asked.stream is True


def test_the_escalation_request_means_what_it_says() -> None:
    sent = golden("escalation_request")
    asked = wire.parse(wire.EscalationBody, packed("escalation_request")).value()
    tail = tuple(MemoryTurn(**turn) for turn in sent["conversation_tail"])
    consent = Consent(sent["contact_consent"], sent["timestamp"])
    said = {**without(sent, "contact_consent"), "conversation_tail": tail, "consent": consent}
    assert asked == EscalationRequest(**said)


# Challenge, session and signature.


def test_the_solution_solves_the_challenge() -> None:
    work = golden("pow")
    assert is_solution(work["challenge"], work["solution"], work["difficulty"])
    assert not any(
        is_solution(work["challenge"], str(n), work["difficulty"])
        for n in range(int(work["solution"]))
    )


def test_the_messages_of_opening_a_session_belong_together() -> None:
    asked, opened = golden("challenge_request"), golden("session_request")
    challenge, session = golden("challenge"), golden("session")
    jkt = jose.thumbprint(jose.public_jwk(opened["jwk"]))
    assert asked == {"site_key": opened["site_key"], "thumbprint": jkt}
    work = {name: challenge[name] for name in ("challenge", "difficulty")}
    assert golden("pow") == {**work, "solution": opened["solution"]}
    assert opened["challenge"] == challenge["challenge"]
    assert session["subject"] == anonymous(opened["site_key"], jkt).subject
    claims = jose.split(session["access_token"]).payload
    assert claims["cnf"] == {"jkt": jkt, "jwk": opened["jwk"]}
    assert claims["sid"] == session["sid"]


@pytest.mark.parametrize(
    ("token", "typ"),
    [
        (golden("session")["access_token"], ACCESS),
        (golden("challenge")["challenge"], CHALLENGE),
        (golden("challenge_turnstile")["challenge"], CHALLENGE),
        (golden("receipt")["token"], TYP),
        (golden("receipt")["previous"], TYP),
    ],
)
async def test_the_gateways_tokens_verify(token: str, typ: str) -> None:
    jwk = jose.public_jwk(golden("receipt")["jwk"])
    taken = jose.split(token)
    assert (taken.typ, taken.kid) == (typ, jose.thumbprint(jwk))
    assert jose.signing_input(taken.payload, taken.kid, typ) == taken.signed
    assert await LocalVerifier().verify(jwk, taken.signed, taken.signature)


async def test_the_sites_word_for_a_visitor_is_taken_as_it_is() -> None:
    said = golden("identity")
    claims = said["claims"]
    keys = read_keys(canonical_json(said["jwk"]))
    site = replace(world_settings().sites[0], identity=IdentitySettings(claims["iss"], keys=keys))
    now = float(claims["iat"])
    identities = Identities(LocalVerifier(), MemoryCache(clock=lambda: now), lambda: now)
    scope = await identities.vouched(site, said["token"], claims["cnf"]["jkt"])
    assert scope.subject == said["subject"]
    assert jose.split(said["token"]).payload == claims


async def test_a_challenge_by_turnstile_is_as_the_golden_says() -> None:
    said = golden("challenge_turnstile")
    claims = jose.split(said["challenge"]).payload
    assert (claims["kind"], claims["difficulty"]) == (said["kind"], said["difficulty"])
    assert said["turnstile"]["action"] == turnstile.action(str(claims["site"]))
    assert said["turnstile"]["cdata"] == claims["jkt"]
    demo, other = world_settings().sites
    widget = TurnstileSettings(said["turnstile"]["sitekey"], Secret("s"))
    chosen = world_settings(sites=(replace(demo, turnstile=widget), other))
    outbound = Outbound()
    async with world(chosen=chosen) as gateway:
        services = replace(gateway.services, turnstile=SiteVerify(outbound))
        made = await build_front(services).challenges.make(
            services.settings.sites[0], str(claims["jkt"]), "", without_turnstile=False
        )
    await outbound.close()
    assert shape(made) == shape(said)
    assert made["turnstile"] == said["turnstile"]


def signed_fields() -> dict[str, str]:
    signed = golden("signature")
    return {
        "content-digest": signed["digest"],
        "authorization": signed["authorization"],
        "idempotency-key": signed["idempotency_key"],
        "x-integrity": signed["x_integrity"],
    }


def test_the_signature_base_is_ours() -> None:
    signed, fields = golden("signature"), signed_fields()
    covered = covered_by_profile(
        fields,
        created=signed["created"],
        expires=signed["expires"],
        nonce=signed["nonce"],
        keyid=signed["keyid"],
    )
    message = Message(
        signed["method"], signed["authority"], signed["path"], signed["query"][1:], fields
    )
    assert f"fanlight={covered}" == signed["signature_input"]
    assert signature_base(covered, message).decode() == signed["base"]
    assert content_digest(signed["body"].encode()) == signed["digest"]
    assert json.loads(signed["body"]) == golden("chat_request")


async def test_the_signature_is_the_test_keys() -> None:
    signed = golden("signature")
    number = int.from_bytes(b64url_decode(signed["private_jwk"]["d"]))
    key = LocalSigner(ec.derive_private_key(number, ec.SECP256R1()))
    assert key.jwk == signed["jwk"]
    assert signed["private_jwk"] == {**signed["jwk"], "d": signed["private_jwk"]["d"]}
    assert signed["keyid"] == jose.thumbprint(signed["jwk"])
    read = read_profile(
        {
            **signed_fields(),
            "signature-input": signed["signature_input"],
            "signature": signed["signature"],
        }
    )
    assert await LocalVerifier().verify(signed["jwk"], signed["base"].encode(), read.signature)


# What the gateway says: each value rebuilt from its golden, and written by its own writer.


def turn_of(made: Mapping[str, Any]) -> Turn:
    return Turn(
        **{
            **made,
            "reasons": tuple(made["reasons"]),
            "citations": tuple(Citation(**each) for each in made["citations"]),
            "disclaimers": tuple(made["disclaimers"]),
            "usage": made["usage"] and Usage(**made["usage"]),
        }
    )


def escalation_of(made: Mapping[str, Any]) -> Escalation:
    deliveries = (
        Delivery(**{**each, "attempts": tuple(Attempt(**tried) for tried in each["attempts"])})
        for each in made["deliveries"]
    )
    return Escalation(
        **{
            **made,
            "tail": tuple(MemoryTurn(**turn) for turn in made["tail"]),
            "deliveries": tuple(deliveries),
            "replies": tuple(Reply(**each) for each in made["replies"]),
            "added": tuple(
                AddedTurn(**{**each, "tail": tuple(MemoryTurn(**turn) for turn in each["tail"])})
                for each in made["added"]
            ),
            "contact_consent": made["contact_consent"] and Consent(**made["contact_consent"]),
            "verdict": made.get("verdict") and Verdict(**made["verdict"]),
        }
    )


def held_of(made: Mapping[str, Any]) -> Held:
    """What a store would give for this export; targets have no names in it."""
    own = ("question", "locale")
    turns = (
        HeldTurn(one["question"], one["locale"], turn_of(without(one, *own)))
        for one in made["turns"]
    )
    nameless = {"target": "", "attempts": []}
    escalations = (
        escalation_of(
            {
                **one,
                "site": made["site"],
                "deliveries": [{**nameless, **told} for told in one["deliveries"]],
            }
        )
        for one in made["escalations"]
    )
    marks = (
        HeldFeedback(
            Feedback(**without(one, "created_at")),
            datetime.fromisoformat(one["created_at"]).timestamp(),
        )
        for one in made["feedback"]
    )
    return Held(
        Scope(made["site"], made["subject"]),
        tuple(made["conversations"]),
        tuple(turns),
        tuple(escalations),
        tuple(marks),
        tuple(HeldEvent(**one) for one in made["events"]),
        tuple(HeldSession(**one) for one in made["sessions"]),
        tuple(made["receipts"]),
        made["next"] and Place.read(made["next"]),
        tuple(map(trajectory_of, made["trajectories"])),
    )


def account_of(made: Mapping[str, Any], one: Mapping[str, Any]) -> Account:
    began = datetime.fromisoformat(one["began_at"]).timestamp()
    return Account(made["site"], made["subject"], one["period"], began)


def trajectory_of(made: Mapping[str, Any]) -> Trajectory:
    """What was stored for this one; the site's own names are not in it."""
    at = datetime.fromisoformat(made["created_at"]).timestamp()
    return Trajectory(**{**without(made, "created_at"), "reasons": tuple(made["reasons"])}, at=at)


def without(made: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in made.items() if name not in names}


WRITTEN: dict[str, Callable[[Any], object]] = {
    "turn": lambda made: turn_of(made).document(),
    "operator_item": lambda made: escalation_of(made).document(),
    "operator_list": lambda made: {
        "items": [escalation_of(item).document() for item in made["items"]],
        "next": made["next"],
    },
    "export": lambda made: {
        "exported_at": made["exported_at"],
        **held_of(made).document(),
        "spending": [
            spent_document(account_of(made, one), round(one["spent_usd"] * 1e6))
            for one in made["spending"]
        ],
    },
    "operator_reply": lambda made: {
        **asdict(Reply(**without(made, "resolved"))),
        "resolved": made["resolved"],
    },
    "operator_session": lambda made: asdict(OperatorSession(**made)),
    "webhook_contact_left": lambda _: json.loads(
        payload.contact_left(
            escalation_of(golden("operator_item")), escalation_of(golden("operator_item"))
        )
    ),
    "webhook_turn_added": lambda _: json.loads(
        payload.turn_added(
            escalation_of(golden("operator_item")), escalation_of(golden("operator_item")).added[0]
        )
    ),
    "webhook_body": lambda _: json.loads(payload.created(escalation_of(golden("operator_item")))),
}


@pytest.mark.parametrize(("name", "write"), WRITTEN.items(), ids=WRITTEN)
def test_a_message_is_rebuilt_and_written_unchanged(
    name: str, write: Callable[[Any], object]
) -> None:
    assert as_json(write(golden(name))) == golden(name)


def event_of(written: bytes) -> dict[str, Any]:
    """An event as a client takes it apart."""
    lines = dict(line.split(": ", 1) for line in written.decode().strip().split("\n"))
    head = {"id": int(lines["id"])} if "id" in lines else {}
    return {**head, "event": lines["event"], "data": json.loads(lines["data"])}


@pytest.mark.parametrize("name", ["delta", "done"])
def test_an_event_of_a_streamed_reply_survives_the_stream(name: str) -> None:
    data = golden(f"{name}_event")
    assert event_of(sse.event(name, data)) == {"event": name, "data": data}


def test_the_last_event_of_a_stream_is_the_turn_and_its_receipt() -> None:
    assert golden("done_event") == {"turn": golden("turn"), "receipt": golden("receipt")["token"]}


def test_the_visitors_events_survive_the_stream() -> None:
    for made in golden("visitor_events"):
        happened = VisitorEvent(made["id"], made["event"], made["data"])
        assert event_of(sse.event(happened.name, happened.data, happened.id)) == made


def test_the_visitors_events_are_made_from_the_operators_item() -> None:
    item = escalation_of(golden("operator_item"))
    made = golden("visitor_events")
    assert [each["id"] for each in made] == sorted(each["id"] for each in made)
    replies = [each["data"] for each in made if each["event"] == "human_reply"]
    assert replies == [semantics.reply_event(reply) for reply in item.replies]
    for each in made:
        if each["event"] == "escalation_status":
            status = each["data"]["status"]
            assert each["data"] == semantics.status_event(item.id, item.turn_id, status)


def test_the_receipt_attests_the_turn_and_follows_the_one_before() -> None:
    kept, turn, asked = golden("receipt"), golden("turn"), golden("chat_request")
    receipt = Receipt(**kept["claims"])
    taken = jose.split(kept["token"])
    assert receipt.signing_input(kept["kid"]) == taken.signed
    assert taken.payload == kept["claims"]
    assert receipt.question_sha256 == sha256_hex(asked["message"]["content"])
    assert receipt.answer_sha256 == sha256_hex(turn["reply"])
    assert receipt.prev == chain_hash(kept["previous"])
    assert kept["chain_hash"] == chain_hash(kept["token"])
    assert kept["previous"] == golden("signature")["x_integrity"]


def test_the_acknowledged_escalation_is_the_one_of_this_turn() -> None:
    asked, session = golden("escalation_request"), golden("session")
    subject = session["subject"].removeprefix("anon:")
    made = escalation_id(anonymous("site_demo", subject), asked["turn_id"])
    assert golden("escalation_ack")["escalation_id"] == made
    assert golden("operator_item")["id"] == made
    assert golden("webhook_body")["data"]["escalation_id"] == made


def test_the_problem_is_the_gateways() -> None:
    made = golden("problem")
    assert made["type"].startswith(PROBLEM_BASE)
    written = problems.stale(made["detail"], 1_767_366_061).document()
    assert as_json(written) == made


# The knowledge base, in a browser and here.

ENTRY = Entry(
    "returns",
    "es",
    "¿Cómo devuelvo un pedido?",
    "Devuélvelo en **30 días**.",
    links=(Link("Devoluciones", "https://shop.example/es/returns"),),
)
INDEX = load_index(build_index((ENTRY,)))


@pytest.mark.parametrize(
    ("name", "online"), [("kb_response", True), ("kb_response_fallback", False)]
)
def test_the_knowledge_bases_response_is_written_so(name: str, online: bool) -> None:
    made = golden(name)
    method = (made["answer"] or {"method": "chars"})["method"]
    confidence = made["gate"]["confidence"]
    hit = Hit(ENTRY, confidence, confidence, tuple(method.split(",")))
    verdict = judge((hit,))
    fallback = made["fallback"]
    chosen = route(verdict, Signals("online" if online else "offline"))
    response = Response(verdict, chosen, (hit,), fallback["locale"], fallback["text"])
    written = document(response, INDEX)
    assert written["gate"] == {**made["gate"], "index_release": INDEX.release}
    assert {**written, "gate": made["gate"]} == made


def test_the_knowledge_base_asks_back_so() -> None:
    made = golden("kb_response_clarify")
    refund = replace(ENTRY, id="refund", question=made["clarify"]["choices"][1]["question"])
    hits = tuple(Hit(entry, share, share, ()) for entry, share in ((ENTRY, 0.4), (refund, 0.3)))
    verdict = judge(hits)
    fallback = made["fallback"]
    chosen = route(verdict, Signals())
    response = Response(
        verdict, chosen, hits, fallback["locale"], fallback["text"],
        clarify_text=made["clarify"]["text"],
    )  # fmt: skip
    written = document(response, INDEX)
    assert {**written, "gate": {**made["gate"], "index_release": INDEX.release}} == {
        **made,
        "gate": written["gate"],
    }


def test_the_knowledge_base_answers_the_golden_request() -> None:
    request = json.dumps(golden("kb_request"))
    said, made = json.loads(respond_json(INDEX, request)), golden("kb_response")
    assert shape(said) == shape(made)
    for name in ("text", "entry_id", "locale", "citations"):
        assert said["answer"][name] == made["answer"][name]


def test_what_an_encoder_says_goes_with_the_golden_request() -> None:
    request = golden("kb_request_near")
    assert {**request, "near": None} == {**golden("kb_request"), "near": None}
    # What is known without is answered as it was.
    answered = respond_json(INDEX, json.dumps(golden("kb_request")))
    assert respond_json(INDEX, json.dumps(request)) == answered


def test_a_model_on_the_device_is_given_the_golden_prompt() -> None:
    made = json.loads(prompt_json(INDEX, json.dumps(golden("device_request"))))
    assert made == golden("device_prompt")


def test_a_reply_of_the_device_is_judged_so() -> None:
    weights = (ROOT / "core" / FILE).read_text(encoding="utf-8")
    told = json.loads(Device(INDEX, None, weights).judge(json.dumps(golden("device_reply"))))
    made = golden("device_judgement")
    assert told["fallback"] == made["fallback"]
    assert shape({**told, "answer": None, "reasons": []}) == shape({**made, "answer": None})
    assert 0 < told["confidence"] < 1


# A running gateway's own words have the goldens' fields.


def shape(value: object) -> object:
    """The names and kinds in a JSON value; a list is as its first item."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value[:1]]
    return "number" if isinstance(value, int | float) else type(value).__name__


def names(value: object) -> object:
    """The names alone, where a kind may differ (null, or an empty list)."""
    return sorted(value) if isinstance(value, dict) else value


@pytest.fixture(scope="module")
def chat() -> dict[str, Any]:
    made: dict[str, Any] = golden("chat_request")
    return made


async def test_a_running_gateway_speaks_as_the_goldens_do(chat: dict[str, Any]) -> None:
    async with world() as gateway:
        visitor = gateway.stranger()
        asked = {"site_key": "site_demo", "thumbprint": visitor.keyid}
        challenge = await gateway.client.post(f"{visitor.gateway}/v1/challenges", json=asked)
        assert shape(challenge.json()) == shape(golden("challenge"))
        assert shape(await visitor.open_session()) == shape(golden("session"))
        whole = {**chat, "options": {**chat["options"], "stream": False}}
        turn = await visitor.call("POST", "/v1/chat", whole, key="k1")
        assert turn.status_code == 200
        assert names(turn.json()) == names(golden("turn"))
        claims = jose.split(turn.headers["x-integrity"]).payload
        assert names(claims) == names(golden("receipt")["claims"])
        await escalated_as_the_goldens(gateway, visitor.call)
        await exported_as_the_golden(visitor.call, chat["turn_id"])


async def escalated_as_the_goldens(gateway: World, call: Callable[..., Any]) -> None:
    taken = await call("POST", "/v1/escalations", golden("escalation_request"), key="k2")
    assert taken.status_code == 202, taken.text
    assert shape(taken.json()) == shape(golden("escalation_ack"))
    kept = await gateway.truth.escalation(taken.json()["escalation_id"])
    assert kept.question == golden("operator_item")["question"]
    assert kept.contact == golden("operator_item")["contact"]
    refused = await call("POST", "/v1/escalations", {}, key="k3")
    assert set(refused.json()) <= set(golden("problem"))
    assert refused.headers["content-type"] == "application/problem+json"


async def exported_as_the_golden(call: Callable[..., Any], turn_id: str) -> None:
    asked = {**golden("feedback_request"), "turn_id": turn_id}
    marked = await call("POST", "/v1/feedback", asked, key="k4")
    assert marked.json() == {"turn_id": turn_id, "signal": asked["signal"]}
    held = (await call("GET", "/v1/export")).json()
    assert names(held) == names(golden("export"))
    for kind in ("turns", "escalations", "feedback", "events", "sessions"):
        assert names(held[kind][0]) == names(golden("export")[kind][0])
    assert (await call("POST", "/v1/erase", {}, key="k5")).json() == {"erased": True}


async def test_a_running_gateway_streams_as_the_goldens_do(chat: dict[str, Any]) -> None:
    async with world() as gateway:
        visitor = await gateway.visitor()
        streamed = await visitor.call("POST", "/v1/chat", chat, key="k1")
        events = [
            event_of(block.encode())
            for block in streamed.text.strip().split("\n\n")
            if not block.startswith(":")
        ]
        assert events[-1]["event"] == "done"
        assert names(events[-1]["data"]) == names(golden("done_event"))
        assert names(events[-1]["data"]["turn"]) == names(golden("turn"))


def test_every_golden_is_read_here() -> None:
    here = Path(__file__).read_text(encoding="utf-8")
    unread = [path.stem for path in FILES if f'"{path.stem}"' not in here]
    assert sorted(set(unread) - {"delta_event"}) == []


def test_what_was_looked_at_is_written_as_the_golden() -> None:
    links = (Link("Devoluciones", "https://shop.example/devoluciones"),)
    entry = Entry("returns", "es", "¿Cómo devuelvo un pedido?", "En 30 días.", links=links)
    hit = Hit(entry, 0.6, 0.6, ("question",))
    looked = Looked(
        golden("turn")["conversation_id"],
        golden("turn")["id"],
        "2026-12-01T09:00:00Z",
        "¿Y la devolución?",
        (hit,),
        0.55,
        {"gate": 1.5, "answer": 320.25},
        has_vectors=True,
    )
    used = Used((hit,), (hit,), answered=True, context_type="chat")
    assert as_json(memory_meta(looked, used)) == golden("meta_event")
