"""Pulls, verifies, chooses and removes models.

An entry that is signed is used only where its signature is good, by a key that is trusted here.
A file that is used has the SHA-256 that the catalogue, or a pin of this machine, promises: one
without a promise is refused, one that breaks it goes into quarantine, and what was there before
stays. What is chosen, or run by a process, is never removed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from models.errors import CannotFetch, Mismatch, NoHash, UnknownModel
from models.registry.catalog import Catalog
from models.registry.locks import exclusive, shared
from models.registry.makers import make
from models.registry.model import Model, ModelFile, Source, pick
from models.registry.partial import Partial, free_bytes, make_private, sha256_of
from models.registry.progress import Progress, Told, silent
from models.registry.shelf import Choice, Shelf
from models.registry.signing import Trust


class Fetcher(Protocol):
    """Brings a file from one kind of source."""

    def fetch(self, source: Source, file: ModelFile, partial: Partial, told: Told) -> None:
        """Bring the file into `partial`, whole. Raises `CannotFetch` or `NoRoom`."""


@dataclass(frozen=True, slots=True)
class State:
    """What of a model is here: `ready` when nothing is missing, `used` when it is chosen."""

    model: Model
    ready: bool
    used: bool
    bytes: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What checking a file found."""

    file: str
    verdict: Literal["good", "missing", "unknown", "bad"]
    expected: str | None
    found: str | None


@dataclass(frozen=True, slots=True)
class Loadable:
    """A model that has been checked and may be loaded; held while it is used."""

    model: Model
    path: Path
    sha256: str


class Registry:
    """The models of one catalogue in one folder; safe among threads and processes."""

    def __init__(
        self,
        catalog: Catalog,
        folder: Path,
        fetchers: Mapping[str, Fetcher],
        free: Callable[[Path], int] = free_bytes,
        trust: Trust | None = None,
    ) -> None:
        self._models = catalog.models
        self._entries = catalog.entries
        self._trust = trust or Trust()
        self._fetchers = fetchers
        self._free = free
        self.shelf = Shelf(folder)

    def states(self) -> list[State]:
        """Every version of every model, and what of it is here."""
        return [self.state(model) for model in self._models]

    def state(self, model: Model) -> State:
        """What of one version is here."""
        paths = [self.shelf.path(model, each.name) for each in model.files]
        return State(
            model,
            ready=all(self.shelf.path(model, each.name).is_file() for each in model.needed),
            used=self.shelf.choice(model.id).version == model.version,
            bytes=sum(path.stat().st_size for path in paths if path.is_file()),
        )

    def find(self, model_id: str, version: str | None = None) -> Model:
        """A model by its id; without a version the chosen one, else the newest."""
        if version is None and any(each.id == model_id for each in self._models):
            version = self.shelf.choice(model_id).version
        return pick(self._models, model_id, version)

    def newest(self, model_id: str, version: str | None = None) -> Model:
        """A model by its id; without a version the newest, whatever is chosen."""
        return pick(self._models, model_id, version)

    def pull(self, model: Model, *, pin: bool = False, progress: Progress = silent) -> list[str]:
        """Fetch and make what is missing; gives the names of the files that came.

        It is chosen where no version is that is here. Raises `NoHash` before anything is fetched
        where a hash is not known and `pin` is not set, and `BadSignature`; `Mismatch`,
        `CannotFetch`, `NoRoom`.
        """
        self._require_signature(model)
        if not pin:
            self._require_hashes(model)
        waiting = f"{model.id}: waiting for another that is pulling it"
        with exclusive(self.shelf.pull_lock(model), lambda: progress(waiting)(0, None)):
            came = [
                each.name
                for each in self._missing(model)
                if self._bring(model, each, pin=pin, progress=progress)
            ]
        with exclusive(self.shelf.small_lock()):
            choice = self.shelf.choice(model.id)
            if choice.version is None or not self._is_here(model.id, choice.version):
                self.shelf.choose(model.id, choice.to(model.version))
        return came

    def verify(self, model: Model, progress: Progress = silent) -> list[Verdict]:
        """Check every file that is here, or should be; moves nothing. Raises `BadSignature`."""
        self._require_signature(model)
        verdicts = []
        for each in model.files:
            path = self.shelf.path(model, each.name)
            expected = self.shelf.expected(model, each.name)
            if not path.is_file():
                if each in model.needed:
                    verdicts.append(Verdict(each.name, "missing", expected, None))
                continue
            found = sha256_of(path, progress(f"{model.id}: checking {each.name}"))
            good: Literal["good", "bad"] = "good" if found == expected else "bad"
            verdicts.append(Verdict(each.name, good if expected else "unknown", expected, found))
        return verdicts

    def use(self, model: Model) -> None:
        """Choose a version that is here. Raises `UnknownModel` where it is not."""
        if not self.state(model).ready:
            raise UnknownModel(f"{_named(model)} is not here. {_pull(model)}")
        with exclusive(self.shelf.small_lock()):
            self.shelf.choose(model.id, self.shelf.choice(model.id).to(model.version))

    def step(self, model_id: str, by: int) -> Choice:
        """Choose what was chosen before, or after. Raises `UnknownModel` where it is not here."""
        pick(self._models, model_id, None)
        with exclusive(self.shelf.small_lock()):
            choice = self.shelf.choice(model_id).step(by)
            model = pick(self._models, model_id, choice.version)
            if not self.state(model).ready:
                raise UnknownModel(f"{_named(model)} is not here any more. {_pull(model)}")
            self.shelf.choose(model_id, choice)
            return choice

    @contextmanager
    def loadable(self, model: Model) -> Iterator[Loadable]:
        """The file to load and those beside it, checked now; while it is held nobody removes them.

        Raises `UnknownModel`, `BadSignature`, `NoHash` or `Mismatch`. Reads the whole files: not
        for an event loop.
        """
        self._require_signature(model)
        with shared(self.shelf.use_lock(model)):
            if not self.state(model).ready:
                raise UnknownModel(f"{_named(model)} is not here. {_pull(model)}")
            self._require_hashes(model)
            yield self._checked(model)

    def _checked(self, model: Model) -> Loadable:
        hashes = {}
        for each in model.needed:
            path = self.shelf.path(model, each.name)
            expected, found = self.shelf.expected(model, each.name) or "", sha256_of(path)
            if found != expected:
                raise Mismatch(path.name, expected, found, self._quarantine(model, path, found))
            hashes[each.name] = found
        return Loadable(model, self.shelf.path(model, model.loads), hashes[model.loads])

    def _is_here(self, model_id: str, version: str) -> bool:
        known = [each for each in self._models if (each.id, each.version) == (model_id, version)]
        return bool(known) and self.state(known[0]).ready

    def _missing(self, model: Model) -> list[ModelFile]:
        """What has to come, in an order in which ingredients come before what is made of them."""
        missing = [each for each in model.needed if not self.shelf.path(model, each.name).is_file()]
        names = {each.recipe.ingredient for each in missing if each.recipe}
        ingredients = [model.file(name) for name in sorted(names)]
        absent = [each for each in ingredients if not self.shelf.path(model, each.name).is_file()]
        return [*absent, *missing]

    def _require_signature(self, model: Model) -> None:
        self._trust.check(_named(model), self._entries[_named(model)])

    def _require_hashes(self, model: Model) -> None:
        unknown = [
            each.name for each in model.files if self.shelf.expected(model, each.name) is None
        ]
        if unknown:
            raise NoHash(
                f"Nobody has written down the SHA-256 of {', '.join(unknown)} ({_named(model)}). "
                f"`fanlight models pull {model.id} --pin` trusts what comes the first time, writes "
                "its hash into models.lock, and holds every later copy to it."
            )

    def _bring(self, model: Model, file: ModelFile, *, pin: bool, progress: Progress) -> bool:
        partial = Partial(self.shelf.partial_path(model, file.name), self._free)
        if file.recipe is not None:
            ingredient = self.shelf.path(model, file.recipe.ingredient)
            partial.require(file.size)
            told = progress(f"{model.id}: making {file.name}")
            with partial.open(None) as out:
                make(file.recipe.maker, ingredient, out, told)
            self._accept(model, file, partial, pin=pin)
            return True
        failures: list[str] = []
        for source in file.sources:
            told = progress(f"{model.id}: fetching {file.name}")
            try:
                self._fetchers[source.kind].fetch(source, file, partial, told)
                self._accept(model, file, partial, pin=pin)
            except (CannotFetch, Mismatch) as error:
                if isinstance(error, Mismatch) and source is file.sources[-1]:
                    raise
                failures.append(f"  {source.text}: {error}")
            else:
                return True
        raise CannotFetch(
            f"{file.name} of {_named(model)} came from none of its sources:\n"
            + "\n".join(failures)
            + "\nTry again later; what has come so far is kept."
        )

    def _accept(self, model: Model, file: ModelFile, partial: Partial, *, pin: bool) -> None:
        """Put a whole file in its place, if it is the right one."""
        found = sha256_of(partial.path)
        with exclusive(self.shelf.small_lock()):
            expected = self.shelf.expected(model, file.name)
            if expected is None and pin:
                self.shelf.pin(model, file.name, found)
                expected = found
        if found != expected:
            quarantined = self._quarantine(model, partial.path, found, file.name)
            partial.drop()
            raise Mismatch(file.name, expected or "(none)", found, quarantined)
        partial.move(self.shelf.path(model, file.name))

    def _quarantine(self, model: Model, path: Path, found: str, name: str = "") -> Path:
        target = self.shelf.quarantine_path(model, name or path.name, found)
        make_private(target.parent)
        path.replace(target)
        return target


def _named(model: Model) -> str:
    return f"{model.id} {model.version}"


def _pull(model: Model) -> str:
    return f"Bring it with `fanlight models pull {model.id}`."
