"""Figures, spans and lines: what is told, and what never is."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from core.errors import Unavailable
from core.telemetry import CONFIDENCE, FIELDS, METRICS, REFUSALS, TURNS, Metric, trace_of
from core.truth import Committed, Work
from gateway.adapters import logs
from gateway.adapters.memory import MemoryTruth
from gateway.adapters.outbound import Outbound
from gateway.adapters.telemetry import HouseTelemetry, collector, share, without
from gateway.app import create_app
from gateway.settings import Secret, TelemetrySettings
from tests.gateway.adapters.http_receiver import receiver
from tests.gateway.test_chat import ScriptedModel
from tests.gateway.test_escalations import escalation
from tests.gateway.world import GATEWAY, Time, World, make_services, settings, world

TOKEN = "figures-are-read-with-this-0123456789"
CANARY = "the visitor's very own words"
UNKNOWN = "which gauge of wire suits a garden lamp outdoors in winter"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """The log as JSON, and the process's own logging put back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in logs.OURS}
    stream = io.StringIO()
    logs.configure(stream, as_json=True)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, own in levels.items():
        logging.getLogger(name).setLevel(own)


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    logging.getLogger().handlers[0].flush()
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@dataclass
class Watched:
    """A gateway that tells, and what it has told."""

    world: World
    telemetry: HouseTelemetry
    spans: InMemorySpanExporter

    async def figures(self, token: str = TOKEN) -> httpx.Response:
        sent = {"authorization": f"Bearer {token}"}
        return await self.world.client.get(f"{GATEWAY}/metrics", headers=sent)


@asynccontextmanager
async def watched(token: str = TOKEN) -> AsyncIterator[Watched]:
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    telemetry = HouseTelemetry(provider)
    time = Time()
    chosen = settings(telemetry=TelemetrySettings("", Secret(token)))
    services = replace(make_services(chosen, time), telemetry=telemetry)
    app = create_app(services)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), timeout=20) as client,
    ):
        yield Watched(World(services, client, time), telemetry, spans)
    telemetry.close()


async def test_figures_are_for_whoever_has_the_token() -> None:
    async with watched() as house:
        assert (await house.figures("another-token-of-the-same-length-00")).status_code == 404
        assert (await house.world.client.get(f"{GATEWAY}/metrics")).status_code == 404
        response = await house.figures()
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
        for metric in METRICS:
            assert f"# TYPE {metric.name.removesuffix('_total')}" in response.text
    async with watched(token="") as house:
        assert (await house.figures("")).status_code == 404


async def test_a_turn_is_counted_by_its_route_and_never_by_its_words() -> None:
    async with watched() as house:
        visitor = await house.world.visitor()
        await visitor.ask("How do I return an order?")
        await visitor.ask(CANARY)
        await house.world.client.get(f"{GATEWAY}/v1/{CANARY}")
        await house.figures("not-the-token-that-it-should-be-0")
        text = (await house.figures()).text
    known = 'fanlight_turns_total{escalated="no",site="site_demo",source="kb"} 1.0'
    unknown = 'fanlight_turns_total{escalated="yes",site="site_demo",source="kb"} 1.0'
    assert known in text
    assert unknown in text
    assert 'fanlight_requests_total{method="POST",route="/v1/chat",status="200"} 2.0' in text
    assert 'fanlight_requests_total{method="GET",route="other",status="404"} 1.0' in text
    assert 'fanlight_refusals_total{type="not-found"}' in text
    assert 'fanlight_stage_seconds_count{stage="gate"} 2.0' in text
    assert 'fanlight_stage_seconds_count{stage="commit"} 2.0' in text
    assert CANARY not in text


async def test_all_of_a_turn_is_in_the_trace_that_its_id_names() -> None:
    async with watched() as house:
        visitor = await house.world.visitor()
        body = visitor.chat_body(UNKNOWN)
        turn = str(body["turn_id"])
        trace = trace_of(turn)
        request = await visitor.request("POST", "/v1/chat", body, key="k1")
        request.headers["traceparent"] = f"00-{trace}-{trace[16:]}-01"
        assert (await house.world.client.send(request)).status_code == 200
        found = {span.name: span for span in house.spans.get_finished_spans()}
    for name in ("POST /v1/chat", "turn", "gate", "commit"):
        assert format(found[name].context.trace_id, "032x") == trace
    parents = {name: span.parent and span.parent.span_id for name, span in found.items()}
    assert format(parents["POST /v1/chat"] or 0, "016x") == trace[16:]
    assert parents["turn"] == found["POST /v1/chat"].context.span_id
    assert parents["gate"] == found["turn"].context.span_id
    shown = json.dumps([dict(span.attributes or {}) for span in found.values()])
    assert UNKNOWN not in shown


@pytest.mark.parametrize(
    "parent",
    ["", "nonsense", f"00-{'0' * 32}-{'1' * 16}-01", f"00-{'a' * 32}-{'0' * 16}-01", "a" * 5_000],
)
async def test_a_parent_that_is_none_begins_a_trace(parent: str) -> None:
    async with watched() as house:
        await house.world.client.get(f"{GATEWAY}/health", headers={"traceparent": parent})
        (span,) = house.spans.get_finished_spans()
    assert span.parent is None


async def test_a_call_to_another_server_carries_the_trace_on() -> None:
    telemetry = HouseTelemetry(TracerProvider())
    async with receiver() as server:
        outbound = Outbound([f"127.0.0.1:{server.port}"], propagated=telemetry.propagated)
        turn = "t_" + "0123456789abcdef" * 2
        with telemetry.span("delivery", turn=turn):
            await outbound.post(f"http://127.0.0.1:{server.port}/", content=b"{}", headers={})
        await outbound.post(f"http://127.0.0.1:{server.port}/", content=b"{}", headers={})
        await outbound.close()
    first, second = server.received
    assert first.headers["traceparent"].startswith(f"00-{trace_of(turn)}-")
    assert "traceparent" not in second.headers


async def test_a_turn_is_a_line_without_what_was_said(written: io.StringIO) -> None:
    async with watched() as house:
        visitor = await house.world.visitor()
        await visitor.ask(CANARY)
    (line,) = [line for line in lines(written) if line["event"] == "turn"]
    assert (line["site"], line["escalated"], line["level"]) == ("site_demo", True, "info")
    assert str(line["turn"]).startswith("t_")
    assert CANARY not in written.getvalue()


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_an_internal_error_is_found_by_the_turn_that_the_visitor_sees(
    written: io.StringIO, *, stream: bool
) -> None:
    async with world(transport=ScriptedModel(ZeroDivisionError(CANARY))) as gateway:
        visitor = await gateway.visitor()
        asked = visitor.chat_body(UNKNOWN, stream=stream)
        response = await visitor.call("POST", "/v1/chat", asked, key="k1")
    assert "/internal" in response.text
    (line,) = [line for line in lines(written) if line["event"] == "internal error"]
    assert (line["turn"], line["raised"]) == (asked["turn_id"], ["ZeroDivisionError"])
    assert CANARY not in written.getvalue()


class Away(MemoryTruth):
    """A store that takes nothing."""

    async def commit(self, work: Work) -> Committed | None:
        raise Unavailable("the database did not answer in time")


async def test_a_store_that_is_down_is_told_with_the_turn_that_missed_it(
    written: io.StringIO,
) -> None:
    time = Time()
    services = replace(make_services(settings(), time), truth=Away(clock=time))
    app = create_app(services)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        visitor = await World(services, client, time).visitor()
        asked = escalation(visitor)
        response = await visitor.call("POST", "/v1/escalations", asked, key="k1")
    assert response.status_code == 503
    (line,) = [line for line in lines(written) if str(line["event"]).startswith("unavailable")]
    assert line["turn"] == asked["turn_id"]


def test_an_exception_is_told_by_its_types_and_places(written: io.StringIO) -> None:
    try:
        try:
            int(CANARY)
        except ValueError as error:
            raise Unavailable("the database did not answer") from error
    except Unavailable:
        logging.getLogger("fanlight").exception("it failed: %s", "so")
        told = {"question": CANARY, "site": "site_demo"}
        logging.getLogger("fanlight").exception("again", extra=told)
    first, second = lines(written)
    assert first["event"] == "it failed: so"
    assert first["raised"] == ["Unavailable: the database did not answer", "ValueError"]
    assert "test_telemetry.py" in first["frames"][-1]  # type: ignore[index]
    assert second["site"] == "site_demo"
    assert "question" not in second
    assert CANARY not in written.getvalue()


def test_the_log_has_only_fields_that_it_may_have(written: io.StringIO) -> None:
    telemetry = HouseTelemetry()
    every = dict.fromkeys(FIELDS, "x" * 1000)
    telemetry.line("all", **every, question=CANARY, reply=CANARY)
    (line,) = lines(written)
    assert set(every) <= set(line)
    assert len(str(line["detail"])) == logs.LONGEST
    assert CANARY not in written.getvalue()


def test_without_a_collector_nothing_is_propagated() -> None:
    telemetry = HouseTelemetry()
    with telemetry.span("turn", turn="t_" + "a" * 32):
        assert telemetry.propagated() == {}
    telemetry.count(REFUSALS, type="x")
    telemetry.observe(CONFIDENCE, 0.5, site="s", source="kb")
    assert b'fanlight_confidence_bucket{le="0.55",site="s",source="kb"} 1.0' in (
        telemetry.exposition()
    )


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_names_follow_prometheus(metric: Metric) -> None:
    assert metric.name.startswith("fanlight_")
    assert metric.name.endswith("_total") == (metric.kind == "counter")
    assert bool(metric.buckets) == (metric.kind == "histogram")
    assert TURNS in METRICS


async def test_spans_reach_a_collector_and_one_that_is_down_costs_nothing(free_port: int) -> None:
    turn = "t_" + "0123456789abcdef" * 2
    async with receiver() as server:
        for port in (server.port, free_port):
            telemetry = HouseTelemetry(collector(f"http://127.0.0.1:{port}"))
            with telemetry.span("turn", turn=turn, site="site_demo"):
                pass
            await asyncio.to_thread(telemetry.close)
    (sent,) = server.received
    assert sent.line.startswith("POST /v1/traces")
    raw = gzip.decompress(sent.body) if "content-encoding" in sent.headers else sent.body
    told = ExportTraceServiceRequest.FromString(raw)
    (resource,) = told.resource_spans
    (span,) = resource.scope_spans[0].spans
    assert (span.name, span.trace_id.hex()) == ("turn", trace_of(turn))
    assert {one.key for one in span.attributes} == {"fanlight.site", "fanlight.turn"}


async def test_nobody_waits_for_whoever_reads_the_log() -> None:
    read, write = os.pipe()
    logger = logging.getLogger("fanlight.stalled")
    with os.fdopen(write, "w") as stream, os.fdopen(read, "rb", buffering=0) as reader:
        writer = logs.Writer(stream, waiting=10)
        logger.addHandler(writer)
        logger.propagate = False
        for _ in range(200):
            logger.warning("x" * 4_000)  # more than the pipe and the queue hold
        assert writer.dropped > 0
        told = b""
        while b"dropped" not in told:
            told += reader.read(65_536)
        logger.removeHandler(writer)
        writer.close()


def test_a_process_that_is_forked_off_writes_its_own_lines(tmp_path: Path) -> None:
    path = tmp_path / "log"
    logger = logging.getLogger("fanlight.forked")
    logger.propagate = False
    with path.open("w") as stream:
        writer = logs.Writer(stream)
        logger.addHandler(writer)
        logger.warning("before")
        writer.flush()
        pid = os.fork()
        if not pid:
            logger.warning("in the child")
            writer.close()
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        logger.warning("after")
        logger.removeHandler(writer)
        writer.close()
    assert path.read_text().split("\n") == ["before", "in the child", "after", ""]


COUNTING = """
import sys
from pathlib import Path
from core.telemetry import REFUSALS, STREAMS, OUTBOX, RESPONSE
from gateway.adapters.telemetry import HouseTelemetry
telemetry = HouseTelemetry(shared=Path(sys.argv[1]))
telemetry.count(REFUSALS, type="busy")
telemetry.observe(RESPONSE, 0.2, route="/v1/chat")
telemetry.hold(STREAMS, 3)
telemetry.hold(OUTBOX, float(sys.argv[2]), state="pending")
print("held", flush=True)
sys.stdin.read()
sys.stdout.write(telemetry.exposition().decode())
"""


def test_any_process_gives_the_figures_of_all(tmp_path: Path) -> None:
    folder = tmp_path / "figures"
    folder.mkdir()
    (folder / "counter_1.db").write_bytes(b"of an earlier run")
    share(folder)
    assert list(folder.iterdir()) == []
    pipe = subprocess.PIPE
    processes = []
    for waiting in ("5", "7"):
        command = [sys.executable, "-c", COUNTING, str(folder), waiting]
        processes.append(subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True))
        assert processes[-1].stdout is not None
        assert processes[-1].stdout.readline() == "held\n"
    first, second = processes
    text, _ = first.communicate()
    assert 'fanlight_refusals_total{type="busy"} 2.0' in text
    assert 'fanlight_response_seconds_count{route="/v1/chat"} 2.0' in text
    assert "fanlight_open_streams 6.0" in text
    assert 'fanlight_outbox_deliveries{state="pending"} 7.0' in text
    without(folder, first.pid)
    text, _ = second.communicate()
    assert 'fanlight_refusals_total{type="busy"} 2.0' in text
    assert "fanlight_open_streams 3.0" in text
