"""What an app is given: its services, already built by a composition root."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from core.intents.intents import NO_RULES, Rules
from core.model_routing.rates import Rates
from core.model_routing.spend import Budgets
from core.ports import Cache, Clock, KeyRing, Random, Target, Verifier
from core.telemetry import SILENT, Telemetry
from core.truth import Truth
from core.turnstile import Turnstile
from core.workshop import Workshop
from gateway.bell import Bell
from gateway.commands import Classifier
from gateway.local_models import ModelFiles
from gateway.pipeline.classify.tasks import NO_TASKS, Tasks
from gateway.pipeline.disclaimers import SILENT as NO_DISCLAIMERS
from gateway.pipeline.disclaimers import Disclaimers
from gateway.pipeline.guard import Guard
from gateway.pipeline.models import Model
from gateway.pipeline.personality.say import Personalities
from gateway.pipeline.prompt import Prompts
from gateway.pipeline.stages import Stage
from gateway.pipeline.tools.tool import Tool
from gateway.settings import Settings
from kb import Index, load_index
from kb.embed import Embedding
from kb.vectors import MakeVectors, Vectors


@dataclass(frozen=True, slots=True)
class PackedEmbedding:
    """An embedding: ready to use, and as the bytes that browsers fetch.

    `vectors` makes what searches the vectors of an index that was built with it.
    """

    table: Embedding
    packed: bytes = field(repr=False)
    vectors: MakeVectors = Vectors


@dataclass(frozen=True, slots=True)
class SiteKnowledge:
    """A site's knowledge base: searchable, and as the bytes that browsers fetch.

    `embedding` is the one that the index was built with; None where it is asked by words alone.
    """

    index: Index
    packed: bytes = field(repr=False)
    embedding: PackedEmbedding | None = None


def load_knowledge(packed: bytes, embedding: PackedEmbedding | None) -> SiteKnowledge:
    """Load an index beside an embedding; one that it was not built with is left aside.

    Raises `kb.IndexFormatError`.
    """
    if embedding is None:
        return SiteKnowledge(load_index(packed), packed)
    index = load_index(packed, embedding.table, embedding.vectors)
    fits = embedding.table.release == index.embedding
    return SiteKnowledge(index, packed, embedding if fits else None)


@dataclass(frozen=True, slots=True)
class WebFile:
    """A built web asset: its bytes as they are and, where that is smaller, under brotli."""

    content: bytes
    media_type: str
    brotli: bytes | None = None


@dataclass(frozen=True, slots=True)
class Space:
    """Room on a disk, in bytes."""

    free: int
    total: int


@dataclass(frozen=True, slots=True)
class Services:
    """The gateway's parts.

    `models` are those that may be asked, the preferred one first. `web` has the built assets by
    their path below the web folder, and is empty where something else serves them. `turnstile` is
    None where nothing can ask it; challenges are proofs of work then. `workshop` is None where no
    index can be built, and nobody edits then; `embedding` is what it builds with. `disk` says how
    much room is left for the data, None where there is no disk. `commands` is None where nobody
    classifies any, and there is no such route then. `stages` are the pipeline's stages of others,
    by their registered names; `prompts` is None where only the minimal prompt is at hand.
    `disclaimers` are what is said beside replies on topics of risk, `tasks` the kinds of question.
    `guard` is None where nothing is kept from models. `tools` are those of others.
    `budgets` is None where the truth counts what models cost, and `rates` where each process
    counts by itself how often they are asked.
    `intents` tell commands about memory, and questions of several parts.
    `local_models` is None where no site offers a model for browsers to run, `personalities` where
    every site's chat speaks as its model does.
    """

    settings: Settings
    clock: Clock
    random: Random
    keys: KeyRing
    verifier: Verifier
    cache: Cache
    truth: Truth
    models: Sequence[Model]
    targets: Mapping[str, Target]
    knowledge: Mapping[str, SiteKnowledge]
    web: Mapping[str, WebFile] = field(default_factory=dict)
    turnstile: Turnstile | None = None
    workshop: Workshop | None = None
    embedding: PackedEmbedding | None = None
    bell: Bell = field(default_factory=Bell)
    telemetry: Telemetry = SILENT
    disk: Callable[[], Space | None] = lambda: None
    commands: Classifier | None = None
    stages: Mapping[str, Stage] = field(default_factory=dict)
    prompts: Prompts | None = None
    disclaimers: Disclaimers = NO_DISCLAIMERS
    tasks: Tasks = NO_TASKS
    guard: Guard | None = None
    local_models: ModelFiles | None = None
    personalities: Personalities | None = None
    budgets: Budgets | None = None
    rates: Rates | None = None
    intents: Rules = NO_RULES
    tools: Sequence[Tool] = ()
