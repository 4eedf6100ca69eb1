"""What a runtime tells its operators of itself: figures, spans and lines of a log.

Decides every name and label there is, so that boards, alerts and code mean the same, and which
fields a line may have: none that could hold what a visitor wrote. The id of a turn, which the
browser makes, is the id of its trace: it ties the browser, the gateway, the model and the target
together without being stored anywhere else. Refuses nothing; what counts is an adapter's matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Final, Literal, Protocol

Kind = Literal["counter", "histogram", "gauge"]

SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
STAGE_SECONDS: Final = (0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, *SECONDS)
"""Most stages take less than a millisecond."""
TENTHS: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.55, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure by its name in Prometheus, what it counts, and its labels.

    Of several processes counters and histograms are added up; a gauge is, where `added`, and else
    the newest counts.
    """

    name: str
    kind: Kind
    about: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    added: bool = False


REQUESTS: Final = Metric(
    "fanlight_requests_total", "counter", "Requests answered.", ("route", "method", "status")
)
RESPONSE: Final = Metric(
    "fanlight_response_seconds", "histogram", "Until the first byte of a response.",
    ("route",), SECONDS,
)  # fmt: skip
REFUSALS: Final = Metric(
    "fanlight_refusals_total", "counter", "Problem documents given, by their type.", ("type",)
)
STAGE: Final = Metric(
    "fanlight_stage_seconds", "histogram",
    "A turn's stages: gate, guard, model, those in it, commit.",
    ("stage",), STAGE_SECONDS,
)  # fmt: skip
TURNS: Final = Metric(
    "fanlight_turns_total", "counter", "Turns that the gateway judged.",
    ("site", "source", "escalated"),
)  # fmt: skip
CONFIDENCE: Final = Metric(
    "fanlight_confidence", "histogram", "The confidence of those turns.",
    ("site", "source"), TENTHS,
)  # fmt: skip
FEEDBACK: Final = Metric(
    "fanlight_feedback_total", "counter", "What visitors said of answers.", ("site", "signal")
)
DELIVERIES: Final = Metric(
    "fanlight_deliveries_total", "counter", "Tries to reach a target.", ("target", "outcome")
)
OUTBOX: Final = Metric(
    "fanlight_outbox_deliveries", "gauge", "Deliveries in the outbox by their state.", ("state",)
)
OUTBOX_AGE: Final = Metric(
    "fanlight_outbox_oldest_seconds", "gauge", "How long the oldest pending delivery has been due."
)
STREAMS: Final = Metric(
    "fanlight_open_streams", "gauge", "Event streams that are open.", added=True
)
DISK: Final = Metric(
    "fanlight_disk_free_ratio", "gauge", "Free share of the disk that holds the data, in [0, 1]."
)
EXPIRED: Final = Metric(
    "fanlight_expired_total", "counter", "Rows deleted because their time was over.", ("kind",)
)
SWEPT: Final = Metric(
    "fanlight_swept_timestamp_seconds", "gauge",
    "When nothing was left whose time was over, in Unix seconds.",
)  # fmt: skip
CLASSIFIED: Final = Metric(
    "fanlight_commands_total", "counter", "Commands classified.", ("classification", "method")
)
CLASSIFYING: Final = Metric(
    "fanlight_command_seconds", "histogram", "Until a command was classified.", (), SECONDS
)
JUDGED: Final = Metric(
    "fanlight_command_feedback_total", "counter", "What operators said of classifications.",
    ("given", "expected"),
)  # fmt: skip
ACCURACY: Final = Metric(
    "fanlight_command_accuracy_ratio", "gauge",
    "Share of the last 30 days' judgements that said right, in [0, 1].",
)  # fmt: skip
MODEL_CALLS: Final = Metric(
    "fanlight_model_calls_total", "counter", "Calls of models, by how they ended.",
    ("model", "outcome"),
)  # fmt: skip
MODEL_RESTS: Final = Metric(
    "fanlight_model_rests", "gauge", "1 while a model that failed is left alone.", ("model",)
)
UNSAFE: Final = Metric(
    "fanlight_unsafe_inputs_total", "counter",
    "What visitors' words, and tools' results, were judged to be; all but toxicity is kept "
    "from models.",
    ("kind", "part"),
)  # fmt: skip
SPENT: Final = Metric(
    "fanlight_spent_microdollars_total", "counter",
    "What models cost, in millionths of a US dollar.", ("site",),
)  # fmt: skip
BUDGET_ALERTS: Final = Metric(
    "fanlight_budget_alerts_total", "counter", "Thresholds of budgets that were passed.",
    ("site", "whose", "period"),
)  # fmt: skip
BUDGET_REFUSALS: Final = Metric(
    "fanlight_budget_refusals_total", "counter", "Holds that a budget had too little left for.",
    ("site", "whose", "period"),
)  # fmt: skip
ROUTED: Final = Metric(
    "fanlight_route_total", "counter", "Decisions which model is asked, by tier and reason.",
    ("tier", "reason"),
)  # fmt: skip
RATES_ALONE: Final = Metric(
    "fanlight_rates_alone_total", "counter",
    "Turns whose rate a process counted by itself, because Redis did not answer.",
)  # fmt: skip
TOOL_CALLS: Final = Metric(
    "fanlight_tool_calls_total", "counter",
    "Calls of tools by models, by how they ended: ok, error, timeout, refused.",
    ("tool", "outcome"),
)  # fmt: skip
METRICS: Final = (
    REQUESTS, RESPONSE, REFUSALS, STAGE, TURNS, CONFIDENCE,
    FEEDBACK, DELIVERIES, OUTBOX, OUTBOX_AGE, STREAMS, DISK, EXPIRED, SWEPT,
    CLASSIFIED, CLASSIFYING, JUDGED, ACCURACY, MODEL_CALLS, MODEL_RESTS, UNSAFE, ROUTED,
    SPENT, BUDGET_ALERTS, BUDGET_REFUSALS, RATES_ALONE, TOOL_CALLS,
)  # fmt: skip

FIELDS: Final = frozenset(
    (
        "attempt", "confidence", "delivery", "detail", "error", "escalated", "escalation",
        "method", "model", "outcome", "reasons", "release", "route", "seconds", "signal",
        "site", "source", "stage", "status", "target", "tool", "turn", "type", "version",
    )
)  # fmt: skip
"""What a line may say. `detail` is in our own words or a target's status, never a visitor's."""


class Telemetry(Protocol):
    """Where figures, spans and lines go. No call fails, waits or changes what the caller does."""

    def count(self, metric: Metric, *, by: int = 1, **labels: str) -> None:
        """So many more of a counter."""

    def observe(self, metric: Metric, value: float, **labels: str) -> None:
        """One value of a histogram."""

    def timed(self, metric: Metric, **labels: str) -> AbstractContextManager[None]:
        """Observe the seconds that what happens inside takes, however it ends."""

    def hold(self, metric: Metric, value: float, **labels: str) -> None:
        """The value of a gauge from now on."""

    def span(
        self, name: str, *, turn: str | None = None, parent: str | None = None, **fields: object
    ) -> AbstractContextManager[None]:
        """Time what happens inside, in the trace of a turn, or of `parent` (a `traceparent`)."""

    def note(self, **fields: object) -> None:
        """Say of the current span what came of it; never what a visitor wrote."""

    def propagated(self) -> Mapping[str, str]:
        """The header fields that carry the current span on to another server."""

    def line(self, event: str, **fields: object) -> None:
        """A line in the log; `fields` are of `FIELDS`."""

    def exposition(self) -> bytes:
        """All figures as Prometheus reads them; empty where none are kept."""


class Silent:
    """Telemetry that goes nowhere: for the edge, tests and commands."""

    def count(self, metric: Metric, *, by: int = 1, **labels: str) -> None:
        """Do nothing."""

    def observe(self, metric: Metric, value: float, **labels: str) -> None:
        """Do nothing."""

    @contextmanager
    def timed(self, metric: Metric, **labels: str) -> Iterator[None]:
        """Do nothing around what happens inside."""
        yield

    def hold(self, metric: Metric, value: float, **labels: str) -> None:
        """Do nothing."""

    @contextmanager
    def span(
        self, name: str, *, turn: str | None = None, parent: str | None = None, **fields: object
    ) -> Iterator[None]:
        """Do nothing around what happens inside."""
        yield

    def note(self, **fields: object) -> None:
        """Do nothing."""

    def propagated(self) -> Mapping[str, str]:
        """Give nothing."""
        return {}

    def line(self, event: str, **fields: object) -> None:
        """Do nothing."""

    def exposition(self) -> bytes:
        """Give nothing."""
        return b""


SILENT: Final = Silent()


@contextmanager
def stage(telemetry: Telemetry, name: str) -> Iterator[None]:
    """A stage of a turn: a span, and its seconds among the figures, however it ends."""
    with telemetry.span(name), telemetry.timed(STAGE, stage=name):
        yield


def trace_of(turn_id: str) -> str:
    """The trace id (32 hex digits, W3C Trace Context) of a turn: the UUID within its id."""
    return turn_id.partition("_")[2]
