"""Telemetry by Prometheus, OpenTelemetry and structlog.

Decides that figures are kept in this process, or with those of its siblings in a folder, and given
when they are asked for; that spans are sent to a collector only where one is configured; and that
the span before a turn's first one is the browser's: its ids follow from the turn's. Refuses
nothing: a collector that is down costs spans, and a second at the end.
"""

from __future__ import annotations

import logging
import os
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Final

import structlog
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from core.telemetry import METRICS, Metric, trace_of
from gateway import __version__

SERVICE: Final = "fanlight-gateway"
EXPORT_S: Final = 5
LAST_S: Final = 1.0
_SAMPLED: Final = trace.TraceFlags(trace.TraceFlags.SAMPLED)
_PROPAGATOR: Final = TraceContextTextMapPropagator()

type _Instrument = Counter | Gauge | Histogram


def collector(url: str) -> TracerProvider:
    """What sends spans to a collector that speaks OTLP over HTTP, such as `http://host:4318`."""
    provider = TracerProvider(
        resource=Resource({"service.name": SERVICE, "service.version": __version__}),
        shutdown_on_exit=False,
    )
    exporter = OTLPSpanExporter(f"{url.rstrip('/')}/v1/traces", timeout=EXPORT_S)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


class HouseTelemetry:
    """`core.telemetry.Telemetry` of one process; `provider` is where spans go, if anywhere.

    `shared` is the folder where it and its siblings keep their figures, so that any of them gives
    those of all; a process has one of it at most.
    """

    def __init__(
        self, provider: TracerProvider | None = None, *, shared: Path | None = None
    ) -> None:
        self._shared = shared
        if shared is not None:
            # The library decides by its environment when it is imported, which is long ago.
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(shared)
            values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        self._instruments = {metric.name: self._instrument(metric) for metric in METRICS}
        self._labelled: dict[tuple[str, ...], _Instrument] = {}
        self._provider = provider
        self._tracer = provider.get_tracer(SERVICE, __version__) if provider else None
        self._log = logging.getLogger("fanlight")

    def count(self, metric: Metric, *, by: int = 1, **labels: str) -> None:
        """So many more of a counter."""
        self._of(metric, labels).inc(by)  # type: ignore[union-attr]

    def observe(self, metric: Metric, value: float, **labels: str) -> None:
        """One value of a histogram."""
        self._of(metric, labels).observe(value)  # type: ignore[union-attr]

    @contextmanager
    def timed(self, metric: Metric, **labels: str) -> Iterator[None]:
        """Observe the seconds that what happens inside takes, however it ends."""
        began = perf_counter()
        try:
            yield
        finally:
            self.observe(metric, perf_counter() - began, **labels)

    def hold(self, metric: Metric, value: float, **labels: str) -> None:
        """The value of a gauge from now on."""
        self._of(metric, labels).set(value)  # type: ignore[union-attr]

    @contextmanager
    def span(
        self, name: str, *, turn: str | None = None, parent: str | None = None, **fields: object
    ) -> Iterator[None]:
        """Time what happens inside, in the trace of a turn, or of `parent` (a `traceparent`)."""
        if turn is None and self._tracer is None:
            yield
            return
        told = {"turn": turn} if turn else {}
        with structlog.contextvars.bound_contextvars(**told):
            if self._tracer is None:
                yield
                return
            attributes = {f"fanlight.{key}": str(value) for key, value in (fields | told).items()}
            with self._tracer.start_as_current_span(
                name,
                context=_context(turn, parent),
                attributes=attributes,
                # An exception's message may hold what a visitor wrote.
                record_exception=False,
                set_status_on_exception=False,
            ) as span:
                try:
                    yield
                except BaseException as error:
                    span.set_status(trace.StatusCode.ERROR, type(error).__name__)
                    raise

    def note(self, **fields: object) -> None:
        """Say of the current span what came of it."""
        if self._tracer is not None:
            span = trace.get_current_span()
            for key, value in fields.items():
                span.set_attribute(f"fanlight.{key}", str(value))

    def propagated(self) -> Mapping[str, str]:
        """The header fields that carry the current span on to another server."""
        fields: dict[str, str] = {}
        if self._tracer is not None:
            _PROPAGATOR.inject(fields)
        return fields

    def line(self, event: str, **fields: object) -> None:
        """A line in the log."""
        self._log.info(event, extra=fields)

    def exposition(self) -> bytes:
        """All figures as Prometheus reads them."""
        if self._shared is None:
            return generate_latest(self._registry)
        every = CollectorRegistry()
        MultiProcessCollector(every, str(self._shared))  # type: ignore[no-untyped-call]
        return generate_latest(every)

    def close(self) -> None:
        """Send the spans that are left, as far as that takes no longer than a second."""
        if self._provider is not None:
            # The library itself waits half a minute for a collector that is down.
            ending = threading.Thread(target=self._provider.shutdown, daemon=True)
            ending.start()
            ending.join(LAST_S)

    def _instrument(self, metric: Metric) -> _Instrument:
        if metric.kind == "histogram":
            return Histogram(
                metric.name,
                metric.about,
                metric.labels,
                buckets=metric.buckets,
                registry=self._registry,
            )
        if metric.kind == "counter":
            return Counter(metric.name, metric.about, metric.labels, registry=self._registry)
        return Gauge(
            metric.name,
            metric.about,
            metric.labels,
            registry=self._registry,
            multiprocess_mode="livesum" if metric.added else "mostrecent",
        )

    def _of(self, metric: Metric, labels: Mapping[str, str]) -> _Instrument:
        # prometheus_client looks labels up behind a lock, at every call.
        key = (metric.name, *(labels[name] for name in metric.labels))
        found = self._labelled.get(key)
        if found is None:
            instrument = self._instruments[metric.name]
            found = instrument.labels(**labels) if labels else instrument
            self._labelled[key] = found
        return found


def share(folder: Path) -> None:
    """Make the folder where processes keep their figures, without those of earlier ones."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)


def without(folder: Path, pid: int) -> None:
    """Leave out what a process held that has ended; what it counted stays."""
    mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]


def _context(turn: str | None, parent: str | None) -> otel_context.Context | None:
    """The span that a new one is below: the current one, unless it is of another trace."""
    current = trace.get_current_span().get_span_context()
    if turn is not None:
        wanted = int(trace_of(turn), 16)
        if current.trace_id == wanted:
            return None
        browser = trace.SpanContext(wanted, _browser_span(turn), True, _SAMPLED)
        return trace.set_span_in_context(trace.NonRecordingSpan(browser), otel_context.Context())
    if parent is not None:
        return _PROPAGATOR.extract({"traceparent": parent}, otel_context.Context())
    return None


def _browser_span(turn: str) -> int:
    """The id of the browser's own span of a turn, which it sends as `traceparent` too."""
    return int(trace_of(turn)[16:], 16)  # never 0: a UUID's second half says its variant
