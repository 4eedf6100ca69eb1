"""What every test can ask for, and the rule on skips.

A test says what the machine must have: `@pytest.mark.needs("chromium")`. Where that is missing the
test is skipped with its reason; in CI (`CI=true`) any skip is a failure, except for lack of the
public data sets, which are not part of a checkout.
"""

import os
import signal
import socket
from collections.abc import Callable, Generator, Iterable, Iterator
from functools import cache, partial
from pathlib import Path

import hypothesis
import pytest

from scripts import machine
from tests.servers import PostgresServer, RedisServer

ROOT = Path(__file__).resolve().parent.parent
IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}

NEEDS: dict[str, tuple[Callable[[], Path | None], str]] = {
    "chromium": (machine.chromium, "no Chromium; run `make test`, or set FANLIGHT_CHROMIUM"),
    "firefox": (
        partial(machine.playwright_browser, "firefox"),
        "no Firefox of Playwright's; `playwright install firefox`",
    ),
    "webkit": (
        partial(machine.playwright_browser, "webkit"),
        "no WebKit of Playwright's; `playwright install webkit`",
    ),
    "redis-server": (machine.redis_server, "no redis-server on this machine"),
    "cc": (machine.compiler, "no C compiler, or not Linux"),
    "postgresql": (machine.postgresql, "no PostgreSQL server on this machine"),
    "nginx": (partial(machine.proxy, "nginx", "-v"), "no nginx on this machine"),
    "caddy": (partial(machine.proxy, "caddy", "version"), "no Caddy on this machine"),
    "node": (machine.node, "no Node on this machine"),
    "weights": (
        partial(machine.model_weights, ROOT, "smollm2-135m"),
        "no weights: `fanlight models pull smollm2-135m` says why",
    ),
    "encoder": (
        partial(machine.model_weights, ROOT, "multilingual-e5-small"),
        "no encoder: `fanlight models pull multilingual-e5-small` says why",
    ),
    "small encoder": (
        partial(machine.model_weights, ROOT, "all-minilm-l6-v2"),
        "no encoder: `fanlight models pull all-minilm-l6-v2` says why",
    ),
    "jax": (partial(machine.library, "jax"), "no JAX for this machine"),
    "data": (lambda: machine.data_folder(ROOT), "no data sets; set FANLIGHT_DATA"),
}
# No package brings Playwright's Firefox and WebKit.
MAY_BE_MISSING_IN_CI = {"data", "firefox", "webkit"}

LONGEST_S = 400
"""What a test may take, whatever it says of itself, unless this is the large run."""

_may_skip = pytest.StashKey[bool]()

# A failing example is printed whole, and kept in .hypothesis for the next run.
hypothesis.settings.register_profile("short", deadline=None, print_blob=True, max_examples=50)
hypothesis.settings.register_profile("long", deadline=None, print_blob=True, max_examples=2000)


@cache
def found(need: str) -> Path | None:
    """Gives the path of what a test needs, or None; looks once."""
    return NEEDS[need][0]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="the large runs too, with bigger numbers")
    parser.addoption(
        "--engines",
        default="chromium",
        help="run the browser tests in each of these: chromium,firefox,webkit",
    )
    parser.addoption(
        "--retake", action="store_true", help="take the screens and transcripts anew, and pass"
    )
    parser.addoption("--attacks", type=int, help="how many replays and tamperings; else by run")


def pytest_configure(config: pytest.Config) -> None:
    hypothesis.settings.load_profile("long" if config.getoption("--long") else "short")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # As a shell starts what runs in the background; Ctrl-C is to end what the tests start.
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--long"):
        return
    for item in items:
        said = item.get_closest_marker("timeout")
        if said is not None and said.args[0] > LONGEST_S:
            # That is for the large run; here a test that hangs is to be named soon.
            item.add_marker(pytest.mark.timeout(LONGEST_S), append=False)
    large = [item for item in items if item.get_closest_marker("long")]
    config.hook.pytest_deselected(items=large)
    items[:] = [item for item in items if item not in large]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    for need in (name for mark in item.iter_markers("needs") for name in mark.args):
        if found(need) is None:
            item.stash[_may_skip] = need in MAY_BE_MISSING_IN_CI
            pytest.skip(NEEDS[need][1])


class _Module(pytest.Module):
    """Skipped where it cannot be imported for lack of a library that is one of the needs."""

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        try:
            return super().collect()
        except self.CollectError as error:
            name = (getattr(error.__cause__, "name", None) or "").partition(".")[0]
            if name in NEEDS and found(name) is None:
                pytest.skip(NEEDS[name][1], allow_module_level=True)
            raise


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module:
    module: pytest.Module = _Module.from_parent(parent, path=module_path)
    return module


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    skipped = report.skipped and not hasattr(report, "wasxfail")
    may_skip = item.stash.get(_may_skip, False) or item.get_closest_marker("may_skip")
    if IN_CI and skipped and not may_skip:
        report.outcome = "failed"
        report.longrepr = f"skipped in CI, where it must run: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if IN_CI and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"skipped in CI, where it must run: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def long(pytestconfig: pytest.Config) -> bool:
    """Says whether this is the large run: the same code with bigger numbers."""
    return bool(pytestconfig.getoption("--long"))


@pytest.fixture(scope="session")
def retake(pytestconfig: pytest.Config) -> bool:
    """Says whether what is compared with a kept picture or text is kept anew instead."""
    return bool(pytestconfig.getoption("--retake"))


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def chromium_path() -> Path:
    """A Chromium that starts. Mark the test `needs("chromium")`."""
    return _required("chromium")


@pytest.fixture(scope="session")
def redis_server_path() -> Path:
    """The Redis server. Mark the test `needs("redis-server")`."""
    return _required("redis-server")


@pytest.fixture(scope="session")
def postgresql_path() -> Path:
    """The folder of PostgreSQL's programs. Mark the test `needs("postgresql")`."""
    return _required("postgresql")


@pytest.fixture(scope="session")
def nginx_path() -> Path:
    """nginx. Mark the test `needs("nginx")`."""
    return _required("nginx")


@pytest.fixture(scope="session")
def caddy_path() -> Path:
    """Caddy. Mark the test `needs("caddy")`."""
    return _required("caddy")


@pytest.fixture(scope="session")
def redis_server(redis_server_path: Path) -> Iterator[RedisServer]:
    """A Redis that all tests share: none stops it. Mark the test `needs("redis-server")`."""
    server = RedisServer(redis_server_path)
    server.start()
    yield server
    server.close()


@pytest.fixture(scope="session")
def postgres_server(postgresql_path: Path) -> Iterator[PostgresServer]:
    """A PostgreSQL that all tests share: none stops it. Mark the test `needs("postgresql")`."""
    server = PostgresServer(postgresql_path)
    yield server
    server.close()


@pytest.fixture(scope="session")
def node_path() -> Path:
    """Node. Mark the test `needs("node")`."""
    return _required("node")


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of public data sets. Mark the test `needs("data")`."""
    return _required("data")


@pytest.fixture(scope="session")
def small_encoder() -> Path:
    """The folder of models that holds MiniLM. Mark the test `needs("small encoder")`."""
    return _required("small encoder")


@pytest.fixture(scope="session")
def weights() -> Path:
    """The folder of models that holds SmolLM2-135M. Mark the test `needs("weights")`."""
    return _required("weights")


@pytest.fixture(scope="session")
def encoder() -> Path:
    """The folder of models that holds multilingual-e5-small. Mark the test `needs("encoder")`."""
    return _required("encoder")


@pytest.fixture
def free_port() -> int:
    """A TCP port of 127.0.0.1 that was free a moment ago, for a server in another process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _required(need: str) -> Path:
    path = found(need)
    if path is None:
        pytest.fail(f'{NEEDS[need][1]}: mark the test needs("{need}")')
    return path
