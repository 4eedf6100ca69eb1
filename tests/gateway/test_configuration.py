"""Settings from a file and an environment: what is taken, and every flaw that is named."""

import base64
import dataclasses
import os
import stat
import string
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.configuration import (
    SETTINGS,
    ConfigurationError,
    Flaw,
    demo_settings,
    environment,
    examine_settings,
    find_config,
    parse_settings,
    read_settings,
    with_port,
)
from gateway.configuration.addresses import BadAddress, parse_address, parse_endpoint, parse_origin
from gateway.configuration.parse import WEB_DIR
from gateway.settings import BankSettings, LimitSettings, SiteSettings

TOKEN = "a-token-that-is-long-enough-1"
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
ENVIRON = {"FANLIGHT_OPERATOR_TOKEN": TOKEN}
BASE = Path("/srv/fanlight")
SITE = {
    "key": "site_shop",
    "name": "Shop",
    "origins": ["https://www.example.com"],
    "kb": ["kb"],
}
TARGET = {"name": "desk", "url": "https://desk.example.com/hook"}


def document(**changes: Any) -> dict[str, Any]:
    """A document without a flaw, with changes to its one site or, by `section__key`, elsewhere."""
    made: dict[str, Any] = {"gateway": {}, "sites": [dict(SITE)]}
    for name, value in changes.items():
        section, _, key = name.partition("__")
        if key:
            made.setdefault(section, {})[key] = value
        else:
            made["sites"][0][name] = value
    return made


def flaws_of(made: dict[str, Any], environ: dict[str, str] | None = None) -> list[Flaw]:
    return parse_settings(made, {**ENVIRON, **(environ or {})}, BASE)[1]


def write(folder: Path, text: str, name: str = "fanlight.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


GOOD_FILE = """
[[sites]]
key = "site_shop"
name = "Shop"
origins = ["https://www.example.com"]
kb = ["kb"]
"""


def test_a_small_document_gives_whole_settings() -> None:
    settings, flaws = parse_settings(document(), ENVIRON, BASE)
    assert flaws == []
    assert settings.public_url == "http://localhost:8000"
    assert settings.console_url == "http://console.localhost:8000"
    assert settings.data_dir == BASE / ".fanlight"
    assert settings.database_url == f"sqlite:///{BASE}/.fanlight/fanlight.db"
    assert settings.web_dir == WEB_DIR
    assert settings.operator_token.reveal() == TOKEN
    assert settings.model is None
    (site,) = settings.sites
    assert site.kb == (BASE / "kb",)
    assert site.default_locale == "en"


def test_defaults_in_the_table_are_the_defaults_of_the_settings() -> None:
    in_table = {s.name: s.default for s in SETTINGS if s.section == "limits"}
    assert in_table == dataclasses.asdict(LimitSettings())
    settings, _ = parse_settings(document(), ENVIRON, BASE)
    assert settings.sites[0] == SiteSettings(
        "site_shop", "Shop", ("https://www.example.com",), (BASE / "kb",)
    )


def test_everything_that_is_set_arrives() -> None:
    made = document(
        targets=["desk", "desk"],
        locales=["he", "en"],
        accent="#ABCDEF",
        theme="contrast",
        confidence_threshold=1,
        gateway__public_url="https://Chat.Example.com:443",
        gateway__host="localhost",
        gateway__port=9000,
        gateway__data_dir="/data",
        gateway__web_dir="dist",
        gateway__private_endpoints=["10.0.0.5:9000", "Model.Internal:80"],
        model__url="http://model.internal/v1/",
        model__model="small",
        embeddings__url="http://model.internal",
        embeddings__kind="tei",
        embeddings__query_prefix="query: ",
        rerank__url="http://model.internal/",
        limits__turn_s=30,
    )
    made["targets"] = [dict(TARGET), {"name": "own", "url": "http://10.0.0.5:9000/hook"}]
    environ = {
        **ENVIRON,
        "FANLIGHT_TARGET_DESK_SECRET": SECRET,
        "FANLIGHT_TARGET_OWN_SECRET": SECRET,
        "FANLIGHT_LLM_KEY": "sk-1",
    }
    settings, flaws = parse_settings(made, environ, BASE)
    assert flaws == []
    assert settings.authority == "chat.example.com"
    assert settings.console_url == "https://console.chat.example.com"
    assert (settings.host, settings.port) == ("127.0.0.1", 9000)
    assert settings.data_dir == Path("/data")
    assert settings.web_dir == BASE / "dist"
    assert settings.private_endpoints == ("10.0.0.5:9000", "model.internal:80")
    assert settings.sites[0].targets == ("desk",)
    assert settings.sites[0].default_locale == "he"
    assert settings.sites[0].accent == "#abcdef"
    assert settings.sites[0].theme == "contrast"
    assert settings.sites[0].confidence_threshold == 1.0
    assert [target.secret.reveal() for target in settings.targets] == [SECRET, SECRET]
    assert settings.model is not None
    assert settings.model.url == "http://model.internal/v1"
    assert settings.model.key.reveal() == "sk-1"
    assert settings.embeddings is not None
    assert settings.embeddings.model == settings.embeddings.url == "http://model.internal"
    assert settings.embeddings.query_prefix == "query: "
    assert settings.rerank is not None
    assert (settings.rerank.url, settings.rerank.kind) == ("http://model.internal", "tei")
    assert settings.limits.turn_s == 30.0


def test_the_environment_wins_over_the_file() -> None:
    made = document(model__url="https://one.example.com/v1", model__model="one")
    environ = {
        **ENVIRON,
        "FANLIGHT_LLM_URL": "https://two.example.com/v1",
        "FANLIGHT_LLM_MODEL": "two",
        "FANLIGHT_DATA_DIR": "/elsewhere",
        "FANLIGHT_DATABASE_URL": "sqlite:////elsewhere/x.db",
    }
    settings, flaws = parse_settings(made, environ, BASE)
    assert flaws == []
    assert settings.model is not None
    assert (settings.model.url, settings.model.model) == ("https://two.example.com/v1", "two")
    assert settings.data_dir == Path("/elsewhere")
    assert settings.database_url.endswith("x.db")


EMBEDS = {"embeddings__url": "https://x.org/v1", "embeddings__model": "m"}
ENCODER_FLAWS: list[tuple[str, dict[str, Any], str, str]] = [
    ("embeddings alone", {"embeddings__model": "m"}, "embeddings.model", "Set embeddings.url"),
    (
        "embeddings without model",
        {"embeddings__url": "https://x.org/v1"},
        "FANLIGHT_EMBEDDINGS_MODEL",
        "Set embeddings.model",
    ),
    (
        "embeddings without path",
        EMBEDS | {"embeddings__url": "https://x.org"},
        "embeddings.url",
        "Write https://x.org/v1",
    ),
    (
        "embeddings with query",
        EMBEDS | {"embeddings__url": "https://x.org/v1?a=1"},
        "embeddings.url",
        "base address only",
    ),
    (
        "private embeddings",
        EMBEDS | {"embeddings__url": "http://127.0.0.1:8010/v1"},
        "embeddings.url",
        'Add "127.0.0.1:8010"',
    ),
    (
        "embeddings of no kind",
        EMBEDS | {"embeddings__kind": "opanai"},
        "embeddings.kind",
        "Did you mean openai?",
    ),
    (
        "a prefix too many",
        EMBEDS | {"embeddings__passage_prefix": "p: "},
        "embeddings.passage_prefix",
        'set embeddings.kind to "openai"',
    ),
    ("key in file", {"embeddings__key": "x"}, "embeddings.key", "set FANLIGHT_EMBEDDINGS_KEY"),
    ("rerank alone", {"rerank__model": "m"}, "rerank.model", "Set rerank.url"),
    (
        "rerank without model",
        {"rerank__url": "https://x.org", "rerank__kind": "cohere"},
        "rerank.model",
        "server's name of the model",
    ),
    (
        "plain rerank",
        {"rerank__url": "http://x.org"},
        "rerank.url",
        'Add "x.org:80"',
    ),
]

FLAWED: list[tuple[str, dict[str, Any], str, str]] = [
    ("unknown section", {"sitess__x": 1}, "sitess", "Did you mean sites?"),
    ("unknown section far off", {"zzz__x": 1}, "zzz", "Known sections"),
    ("unknown key", {"orgins": []}, "sites[site_shop].orgins", "Did you mean origins?"),
    ("unknown key far off", {"gateway__zzzz": 1}, "gateway.zzzz", "Known here: public_url"),
    ("string for number", {"gateway__port": "8000"}, "gateway.port", "Write a integer"),
    ("true for number", {"gateway__port": True}, "gateway.port", "Write a integer"),
    ("number for string", {"name": 3}, "sites[site_shop].name", "Write a string"),
    ("string for list", {"kb": "kb"}, "sites[site_shop].kb", "Write a list of strings"),
    ("mixed list", {"kb": ["kb", 1]}, "sites[site_shop].kb", "Write a list of strings"),
    ("empty list", {"kb": []}, "sites[site_shop].kb", "Set it."),
    ("empty name", {"name": ""}, "sites[site_shop].name", "Set it."),
    ("port out of range", {"gateway__port": 70000}, "gateway.port", "from 1 to 65,535"),
    ("threshold", {"confidence_threshold": 1.2}, "sites[site_shop].confidence_threshold", "0 to 1"),
    (
        "threshold nan",
        {"confidence_threshold": float("nan")},
        "sites[site_shop].confidence_threshold",
        "0 to 1",
    ),
    ("limit", {"limits__pow_difficulty": 40}, "limits.pow_difficulty", "from 0 to 22"),
    (
        "origin with path",
        {"origins": ["https://a.example/x"]},
        "sites[site_shop].origins",
        "Write https://a.example.",
    ),
    (
        "origin with slash",
        {"origins": ["https://a.example/"]},
        "sites[site_shop].origins",
        "Write https://a.example.",
    ),
    (
        "origin without scheme",
        {"origins": ["www.example.com"]},
        "sites[site_shop].origins",
        "Begin it with https://",
    ),
    ("wildcard", {"origins": ["https://*.x.org"]}, "sites[site_shop].origins", "wildcard"),
    ("http origin", {"origins": ["http://x.org"]}, "sites[site_shop].origins", "Use https"),
    ("http public", {"gateway__public_url": "http://x.org"}, "gateway.public_url", "Use https"),
    (
        "public with path",
        {"gateway__public_url": "https://x.org/chat"},
        "gateway.public_url",
        "Write https://x.org.",
    ),
    (
        "console is the gateway",
        {"gateway__console_url": "http://localhost:8000"},
        "gateway.console_url",
        "host name of its own",
    ),
    (
        "console beside an address",
        {"gateway__public_url": "https://127.0.0.1"},
        "gateway.console_url",
        "host name of its own",
    ),
    ("bad host", {"gateway__host": "chat"}, "gateway.host", "Write an IP address"),
    (
        "database",
        {"gateway__database_url": "mysql://x/y"},
        "gateway.database_url",
        "postgresql://<user>",
    ),
    (
        "database's name",
        {"gateway__database_url": "postgresql://x"},
        "gateway.database_url",
        "%40",
    ),
    (
        "database's driver",
        {"gateway__database_url": "postgresql+asyncpg://x/y"},
        "gateway.database_url",
        "postgresql://<user>",
    ),
    (
        "database's password",
        {"gateway__database_url": "postgresql://a:secret@x/y"},
        "gateway.database_url",
        "FANLIGHT_DATABASE_URL",
    ),
    ("workers alone", {"gateway__workers": 2}, "gateway.workers", "Set FANLIGHT_REDIS_URL"),
    (
        "proxy",
        {"gateway__trusted_proxies": ["proxy.local"]},
        "gateway.trusted_proxies",
        "10.0.0.0/8",
    ),
    (
        "endpoint",
        {"gateway__private_endpoints": ["localhost"]},
        "gateway.private_endpoints",
        "127.0.0.1:9000",
    ),
    ("site key", {"key": "shop"}, "sites[shop].key", "such as site_shop"),
    ("site name", {"name": "x" * 61}, "sites[site_shop].name", "at most 60"),
    ("accent", {"accent": "blue"}, "sites[site_shop].accent", "like #1f5fbf"),
    ("theme", {"theme": "sepia"}, "sites[site_shop].theme", "contrast"),
    ("locale", {"locales": ["en", "fr"]}, "sites[site_shop].locales", "en, es, he"),
    (
        "default locale",
        {"locales": ["en"], "default_locale": "es"},
        "sites[site_shop].default_locale",
        "Known: en",
    ),
    ("no locales", {"locales": []}, "sites[site_shop].locales", "at least one"),
    ("unknown target", {"targets": ["dsk"]}, "sites[site_shop].targets", "Define a target"),
    ("model without url", {"model__model": "m"}, "model.model", "FANLIGHT_LLM_URL too"),
    (
        "url without model",
        {"model__url": "https://x.org/v1"},
        "FANLIGHT_LLM_MODEL",
        "Set model.model",
    ),
    (
        "url without path",
        {"model__url": "https://x.org", "model__model": "m"},
        "model.url",
        "Write https://x.org/v1",
    ),
    (
        "url with query",
        {"model__url": "https://x.org/v1?k=1", "model__model": "m"},
        "model.url",
        "base address only",
    ),
    (
        "private model",
        {"model__url": "https://10.1.1.1/v1", "model__model": "m"},
        "model.url",
        'Add "10.1.1.1:443"',
    ),
    (
        "plain model",
        {"model__url": "http://x.org/v1", "model__model": "m"},
        "model.url",
        'Add "x.org:80"',
    ),
    *ENCODER_FLAWS,
    ("not a url", {"model__url": "x.org", "model__model": "m"}, "model.url", "https://"),
    ("secret in file", {"model__key": "sk-1"}, "model.key", "set FANLIGHT_LLM_KEY"),
    (
        "token in file",
        {"gateway__operator_token": "x"},
        "gateway.operator_token",
        "set FANLIGHT_OPERATOR_TOKEN",
    ),
]


@pytest.mark.parametrize(
    ("changes", "key", "remedy"), [row[1:] for row in FLAWED], ids=[row[0] for row in FLAWED]
)
def test_a_flaw_is_named_with_its_key_and_remedy(
    changes: dict[str, Any], key: str, remedy: str
) -> None:
    found = flaws_of(document(**changes))
    assert [flaw.key for flaw in found] == [key]
    assert remedy in found[0].remedy


TARGETS: list[tuple[str, dict[str, Any], dict[str, str], str, str]] = [
    ("no secret", {}, {}, "FANLIGHT_TARGET_DESK_SECRET", "whsec_"),
    (
        "short secret",
        {},
        {"FANLIGHT_TARGET_DESK_SECRET": "whsec_YWJj"},
        "FANLIGHT_TARGET_DESK_SECRET",
        "whsec_",
    ),
    (
        "not base64",
        {},
        {"FANLIGHT_TARGET_DESK_SECRET": "whsec_!" * 9},
        "FANLIGHT_TARGET_DESK_SECRET",
        "whsec_",
    ),
    (
        "without prefix",
        {},
        {"FANLIGHT_TARGET_DESK_SECRET": SECRET[6:]},
        "FANLIGHT_TARGET_DESK_SECRET",
        "whsec_",
    ),
    (
        "http",
        {"url": "http://x.org/h"},
        {"FANLIGHT_TARGET_DESK_SECRET": SECRET},
        "targets[desk].url",
        "Use https.",
    ),
    (
        "no url",
        {"url": ""},
        {"FANLIGHT_TARGET_DESK_SECRET": SECRET},
        "targets[desk].url",
        "Set it to where",
    ),
    (
        "local",
        {"url": "https://localhost/h"},
        {"FANLIGHT_TARGET_DESK_SECRET": SECRET},
        "targets[desk].url",
        'Add "localhost:443"',
    ),
    (
        "kind",
        {"kind": "pigeon"},
        {"FANLIGHT_TARGET_DESK_SECRET": SECRET},
        "targets[desk].kind",
        "Known: webhook, slack, pagerduty",
    ),
    (
        "name",
        {"name": "Desk!"},
        {"FANLIGHT_TARGET_DESK!_SECRET": SECRET},
        "targets[Desk!].name",
        "small letter",
    ),
]


@pytest.mark.parametrize(
    ("changes", "environ", "key", "remedy"),
    [row[1:] for row in TARGETS],
    ids=[row[0] for row in TARGETS],
)
def test_a_flawed_target_is_named(
    changes: dict[str, Any], environ: dict[str, str], key: str, remedy: str
) -> None:
    made = document()
    made["targets"] = [{**TARGET, **changes}]
    found = flaws_of(made, environ)
    assert [flaw.key for flaw in found] == [key]
    assert remedy in found[0].remedy


def test_a_target_name_with_a_dash_reads_the_variable_with_an_underscore() -> None:
    made = document()
    made["targets"] = [{**TARGET, "name": "night-desk"}]
    assert flaws_of(made, {"FANLIGHT_TARGET_NIGHT_DESK_SECRET": SECRET}) == []


def test_an_unknown_target_is_answered_with_the_nearest_name() -> None:
    made = document(targets=["dsk"])
    made["targets"] = [dict(TARGET)]
    (flaw,) = flaws_of(made, {"FANLIGHT_TARGET_DESK_SECRET": SECRET})
    assert flaw.remedy == "Did you mean desk?"


@pytest.mark.parametrize(
    ("section", "rows"),
    [("sites", [dict(SITE), dict(SITE)]), ("targets", [dict(TARGET), dict(TARGET)])],
)
def test_a_repeated_name_is_refused(section: str, rows: list[dict[str, Any]]) -> None:
    made = {**document(), section: rows}
    (flaw,) = flaws_of(made, {"FANLIGHT_TARGET_DESK_SECRET": SECRET})
    assert "there twice" in flaw.detail


@pytest.mark.parametrize(
    ("made", "keys"),
    [
        ({}, ["sites"]),
        ({"sites": {}}, ["sites"]),
        ({"sites": [dict(SITE)], "gateway": 3}, ["gateway"]),
        (
            {"sites": [3]},
            ["sites[#1]", *(f"sites[#1].{name}" for name in ("key", "name", "origins", "kb"))],
        ),
    ],
)
def test_tables_of_the_wrong_form_are_named(made: dict[str, Any], keys: list[str]) -> None:
    assert [flaw.key for flaw in flaws_of(made)] == keys


@pytest.mark.parametrize(
    "name", ["FANLIGHT_LLM_KEY", "FANLIGHT_EMBEDDINGS_KEY", "FANLIGHT_RERANK_KEY"]
)
def test_a_key_without_a_server_is_a_flaw(name: str) -> None:
    (flaw,) = flaws_of(document(), {name: "sk-1"})
    assert flaw.key == name


def test_the_environment_names_a_server_of_embeddings() -> None:
    environ = ENVIRON | {
        "FANLIGHT_EMBEDDINGS_URL": "https://two.example.com/v1",
        "FANLIGHT_EMBEDDINGS_MODEL": "two",
        "FANLIGHT_EMBEDDINGS_KEY": "sk-2",
    }
    made = document(embeddings__url="https://one.example.com/v1", embeddings__model="one")
    settings, flaws = parse_settings(made, environ, BASE)
    assert flaws == []
    found = settings.embeddings
    assert found is not None
    assert (found.url, found.model, found.kind) == ("https://two.example.com/v1", "two", "fanlight")
    assert found.key.reveal() == "sk-2"
    assert "sk-2" not in repr(settings)


@pytest.mark.parametrize("token", ["", "admin", "aaaaaaaaaaaaaaaaaaaaaaaaaaaa"])
def test_a_token_that_can_be_guessed_is_refused_without_being_repeated(token: str) -> None:
    (flaw,) = flaws_of(document(), {"FANLIGHT_OPERATOR_TOKEN": token})
    assert flaw.key == "FANLIGHT_OPERATOR_TOKEN"
    assert not token or token not in str(flaw)


def test_all_flaws_come_at_once() -> None:
    found = flaws_of(
        document(
            accent="blue", origins=["x"], gateway__port=0, limits__turn_s="long", model__model="m"
        ),
        {"FANLIGHT_OPERATOR_TOKEN": ""},
    )
    assert len(found) == 6


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://EXAMPLE.com", "https://example.com"),
        ("https://example.com:443", "https://example.com"),
        ("https://example.com:8443", "https://example.com:8443"),
        ("http://localhost:8001", "http://localhost:8001"),
        ("http://shop.localhost", "http://shop.localhost"),
        ("http://127.0.0.1:8001", "http://127.0.0.1:8001"),
        ("http://[::1]:8001", "http://[::1]:8001"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
    ],
)
def test_an_origin_is_kept_as_browsers_send_it(text: str, origin: str) -> None:
    assert parse_origin(text).origin == origin
    assert parse_origin(origin).origin == origin


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "https://",
        "https://a b.example",
        " https://a.example",
        "https://user:pw@a.example",
        "https://a.example:99999",
        "https://a.example:x",
        "https://[::1",
        "https://a..example",
        "https://" + "a" * 70 + "é.example",
        "ftp://a.example",
        "https://a.example?x",
        "https://a.example#x",
        "http://192.168.0.9",
    ],
)
def test_what_is_no_origin_is_refused(text: str) -> None:
    with pytest.raises(BadAddress):
        parse_origin(text)


@given(st.text(string.printable + "é☃:/[]@#?*", max_size=40))
def test_any_text_is_an_address_or_is_refused(text: str) -> None:
    for parse in (parse_address, parse_origin, parse_endpoint):
        with suppress(BadAddress):
            parse(text)


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [("Localhost:80", "localhost:80"), ("[::1]:9000", "[::1]:9000"), ("10.0.0.1:1", "10.0.0.1:1")],
)
def test_an_endpoint_is_a_host_and_a_port(text: str, endpoint: str) -> None:
    assert parse_endpoint(text) == endpoint


@pytest.mark.parametrize(
    "text", ["localhost", "localhost:0", "http://x:80", "a@b:80", "x:port", ":80", "[::1:80"]
)
def test_what_is_no_endpoint_is_refused(text: str) -> None:
    with pytest.raises(BadAddress):
        parse_endpoint(text)


def test_a_file_is_read_from_where_it_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD_FILE)
    (tmp_path / "kb").mkdir()
    assert read_settings(path, ENVIRON).sites[0].kb == (tmp_path / "kb",)
    assert (
        read_settings(None, {**ENVIRON, "FANLIGHT_CONFIG": str(path)}).data_dir.parent == tmp_path
    )
    assert find_config(None, {}) == Path("fanlight.toml")


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (None, "There is no such file."),
        (b"a = ", "This is not TOML"),
        (b"\xff\xfe", "This is not UTF-8."),
    ],
)
def test_a_file_that_cannot_be_read_is_one_flaw(
    tmp_path: Path, content: bytes | None, detail: str
) -> None:
    path = tmp_path / "fanlight.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=detail) as caught:
        read_settings(path, ENVIRON)
    assert [flaw.key for flaw in caught.value.flaws] == [str(path)]


def test_a_folder_in_place_of_the_file_is_one_flaw(tmp_path: Path) -> None:
    settings, (flaw,) = examine_settings(tmp_path, ENVIRON)
    assert settings is None
    assert flaw.remedy == "Make it a readable file."


def test_a_knowledge_base_that_does_not_exist_is_named_with_the_other_flaws(
    tmp_path: Path,
) -> None:
    path = write(tmp_path, GOOD_FILE + 'accent = "blue"\n')
    with pytest.raises(ConfigurationError) as caught:
        read_settings(path, ENVIRON)
    assert [flaw.key for flaw in caught.value.flaws] == [
        "sites[site_shop].accent",
        "sites[site_shop].kb",
    ]
    assert str(tmp_path / "kb") in str(caught.value)


def test_env_file_is_read_below_the_environment(tmp_path: Path) -> None:
    lines = [
        "# a comment",
        "",
        "FANLIGHT_LLM_KEY='quoted value'",
        'export FANLIGHT_LLM_URL = "https://x.org/v1"',
        "FANLIGHT_LLM_MODEL=from-file",
        "HOME=/nowhere",
        "not an assignment with s3cret",
    ]
    write(tmp_path, "\n".join(lines), ".env")
    values, (flaw,) = environment(tmp_path, {"FANLIGHT_LLM_MODEL": "from-environment"})
    assert values == {
        "FANLIGHT_LLM_KEY": "quoted value",
        "FANLIGHT_LLM_URL": "https://x.org/v1",
        "FANLIGHT_LLM_MODEL": "from-environment",
    }
    assert flaw.key == ".env:7"
    assert "s3cret" not in str(flaw)


@pytest.mark.parametrize("content", [b"\xff", None], ids=["not UTF-8", "a folder"])
def test_an_unreadable_env_file_is_a_flaw(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / ".env"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    values, (flaw,) = environment(tmp_path, {"A": "b"})
    assert (values, flaw.key) == ({"A": "b"}, ".env")


@pytest.mark.parametrize(
    ("public", "followed"),
    [
        ("http://localhost:8000", "http://localhost:8130"),
        ("http://localhost:9999", "http://localhost:9999"),
        ("https://chat.example.com:8000", "https://chat.example.com:8000"),
        ("no address", "no address"),
    ],
)
def test_local_addresses_follow_the_port(public: str, followed: str) -> None:
    settings, _ = parse_settings(document(), ENVIRON, BASE)
    moved = with_port(dataclasses.replace(settings, public_url=public), 8130)
    assert (moved.port, moved.public_url) == (8130, followed)
    assert moved.console_url == "http://console.localhost:8130"


def test_the_demo_makes_its_token_once_for_its_owner_alone(tmp_path: Path) -> None:
    first, again = (demo_settings(tmp_path, {}) for _ in range(2))
    token = first.operator_token.reveal()
    assert len(token) >= 32
    assert again.operator_token.reveal() == token
    path = tmp_path / ".fanlight" / "operator-token"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert token not in repr(first)


def test_the_demo_serves_its_own_questions_to_its_own_page(tmp_path: Path) -> None:
    settings = demo_settings(tmp_path, ENVIRON, port=8130, page_port=8131)
    (site,) = settings.sites
    assert site.key == "site_demo"
    assert site.origins == ("http://localhost:8131", "http://127.0.0.1:8131")
    assert settings.public_url == "http://localhost:8130"
    assert settings.operator_token.reveal() == TOKEN
    assert list(site.kb[0].glob("*.md"))
    assert not (tmp_path / ".fanlight").exists()


def test_the_demo_takes_a_model_server_on_this_machine(tmp_path: Path) -> None:
    environ = {
        **ENVIRON,
        "FANLIGHT_DATA_DIR": str(tmp_path / "data"),
        "FANLIGHT_LLM_URL": "http://localhost:11434/v1",
        "FANLIGHT_LLM_MODEL": "small",
    }
    settings = demo_settings(tmp_path, environ)
    assert settings.private_endpoints == ("localhost:11434",)
    assert settings.data_dir == tmp_path / "data"


def test_the_demo_names_flaws_of_the_environment(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="FANLIGHT_OPERATOR_TOKEN"):
        demo_settings(tmp_path, {"FANLIGHT_OPERATOR_TOKEN": "short"})


def test_the_demo_says_so_when_its_token_cannot_be_kept(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="FANLIGHT_DATA_DIR"):
        demo_settings(tmp_path, {"FANLIGHT_DATA_DIR": str(blocked)})


def test_reading_settings_leaves_the_environment_alone(tmp_path: Path) -> None:
    before = dict(os.environ)
    demo_settings(tmp_path, before)
    assert dict(os.environ) == before


PASSWORD = "do-not-tell-me"


@pytest.mark.parametrize(
    "url",
    [
        f"redis://:{PASSWORD}@cache.example:6379/0",
        f"rediss://anna:{PASSWORD}@cache.example",
        "redis://[::1]:7000/3",
    ],
)
def test_redis_is_named_in_the_environment_and_shows_itself_nowhere(url: str) -> None:
    environ = {**ENVIRON, "FANLIGHT_REDIS_URL": url}
    settings, flaws = parse_settings(document(gateway__workers=4), environ, BASE)
    assert flaws == []
    assert settings.redis_url.reveal() == url
    assert settings.workers == 4
    assert PASSWORD not in repr(settings)


@pytest.mark.parametrize(
    "url",
    [
        f"http://:{PASSWORD}@cache.example",
        f"redis://:{PASSWORD}@",
        f"redis://:{PASSWORD}@cache.example/name",
        f"redis://:{PASSWORD}@cache.example:port",
        f"redis://:{PASSWORD}@cache.example?socket_timeout=99",
        f"{PASSWORD}",
    ],
)
def test_an_address_that_is_no_redis_is_refused_without_repeating_it(url: str) -> None:
    environ = {**ENVIRON, "FANLIGHT_REDIS_URL": url}
    _, flaws = parse_settings(document(), environ, BASE)
    assert [flaw.key for flaw in flaws] == ["FANLIGHT_REDIS_URL"]
    assert PASSWORD not in repr(flaws)


def test_a_databases_password_stands_in_the_environment_and_shows_itself_nowhere() -> None:
    url = f"postgresql://anna:{PASSWORD}@db.example:5432/fanlight?sslmode=verify-full"
    settings, flaws = parse_settings(document(), {**ENVIRON, "FANLIGHT_DATABASE_URL": url}, BASE)
    assert flaws == []
    assert settings.database_url == url
    assert PASSWORD not in repr(settings)
    bad = f"postgresql://anna:{PASSWORD}@db.example:port/x"
    _, flaws = parse_settings(document(), {**ENVIRON, "FANLIGHT_DATABASE_URL": bad}, BASE)
    assert [flaw.key for flaw in flaws] == ["FANLIGHT_DATABASE_URL"]
    assert PASSWORD not in repr(flaws)


def test_several_workers_leave_the_console_a_port_of_its_own() -> None:
    environ = {**ENVIRON, "FANLIGHT_REDIS_URL": "redis://cache.example"}
    settings, flaws = parse_settings(document(gateway__workers=2), environ, BASE)
    assert flaws == []
    assert settings.console_url == "http://console.localhost:8002"
    served = document(gateway__workers=2, gateway__public_url="https://chat.example.com")
    settings, _ = parse_settings(served, environ, BASE)
    assert settings.console_url == "https://console.chat.example.com"
    same = document(gateway__workers=2, gateway__console_port=8000)
    _, flaws = parse_settings(same, environ, BASE)
    assert [flaw.key for flaw in flaws] == ["gateway.console_port"]


def test_the_bank_is_off_and_takes_only_what_it_knows() -> None:
    made = parse_settings(document(), ENVIRON, BASE)[0]
    assert made.bank == BankSettings("off", 90, 300)
    made = parse_settings(document(bank__answers="people", bank__days=7), ENVIRON, BASE)[0]
    assert made.bank == BankSettings("people", 7, 300)
    [flaw] = flaws_of(document(bank__answers="persons"))
    assert flaw.key == "bank.answers"
    assert "people" in flaw.remedy
