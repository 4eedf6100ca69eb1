"""Models that browsers run: published, offered in the panel's document, served by hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.published_models import BadPublication, PublishedModels
from gateway.configuration import ConfigurationError, demo_settings, read_settings
from tests.gateway.world import GATEWAY, World, settings, world

FILE = b"".join(number.to_bytes(4, "big") for number in range(320_000))
NAME = hashlib.sha256(FILE).hexdigest()


def publish(folder: Path, **changes: object) -> Path:
    """A published model, with what is changed of its manifest."""
    (folder / "sha256").mkdir(parents=True, exist_ok=True)
    (folder / "sha256" / NAME).write_bytes(FILE)
    row: dict[str, object] = {
        "id": "small",
        "name": "Small",
        "licence": "MIT",
        "parameters": 7,
        "context": 512,
        "memory": 1_000,
        "size": len(FILE),
        "sha256": NAME,
        "block_size": 1 << 20,
        "blocks": [],
    }
    (folder / "small.json").write_text(json.dumps({**row, **changes}), encoding="utf-8")
    return folder


@pytest.fixture
async def offering(tmp_path: Path) -> AsyncIterator[World]:
    """A gateway whose first site offers a model."""
    sites = settings().sites
    offers = replace(sites[0], local_models=("small",))
    files = PublishedModels(publish(tmp_path), ["small"])
    async with world(chosen=settings(sites=(offers, sites[1])), local_models=files) as made:
        yield made


async def config_of(gateway: World, site: str) -> dict[str, Any]:
    page = (await gateway.client.get(f"{GATEWAY}/chat/{site}")).text
    block = page.partition('id="fanlight-config">')[2].partition("</script>")[0]
    found: dict[str, Any] = json.loads(block)
    return found


async def test_a_site_offers_its_models_alone(offering: World) -> None:
    (model,) = (await config_of(offering, "site_demo"))["local_models"]
    assert (model["id"], model["bytes"], model["licence"]) == ("small", len(FILE), "MIT")
    assert (await config_of(offering, "site_other"))["local_models"] == []
    manifest = await offering.client.get(GATEWAY + model["manifest"])
    assert hashlib.sha256(manifest.content).hexdigest() == model["sha256"]
    assert manifest.json()["sha256"] == NAME


async def test_the_page_is_isolated_where_a_model_may_run(offering: World) -> None:
    for path, isolated in (("site_demo", "isolate-and-require-corp"), ("site_other", None)):
        for page in ("chat", "panel"):
            headers = (await offering.client.get(f"{GATEWAY}/{page}/{path}")).headers
            assert headers.get("document-isolation-policy") == isolated


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("", 200, FILE),
        ("bytes=0-9", 206, FILE[:10]),
        ("bytes=1000000-", 206, FILE[1_000_000:]),
        ("bytes=-7", 206, FILE[-7:]),
        ("bytes=5-99999999", 206, FILE[5:]),
        ("bytes=9999999-", 416, b""),
        # What is no single range gets the whole.
        ("bytes=0-1,4-5", 200, FILE),
        ("bytes=9-5", 200, FILE),
        ("lines=0-1", 200, FILE),
    ],
)
async def test_a_file_is_sent_whole_or_in_part(
    offering: World, asked: str, status: int, part: bytes
) -> None:
    headers = {"range": asked} if asked else {}
    response = await offering.client.get(f"{GATEWAY}/m/sha256/{NAME}", headers=headers)
    assert (response.status_code, response.content) == (status, part)
    assert "immutable" in response.headers["cache-control"]
    if status == 206:
        start = FILE.find(part)
        end = start + len(part) - 1
        assert response.headers["content-range"] == f"bytes {start}-{end}/{len(FILE)}"


async def test_what_a_browser_has_is_not_sent_again(offering: World) -> None:
    url = f"{GATEWAY}/m/sha256/{NAME}"
    head = await offering.client.head(url)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(FILE))
    again = await offering.client.get(url, headers={"if-none-match": head.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = {"range": "bytes=0-1", "if-range": '"another"'}
    assert (await offering.client.get(url, headers=other)).content == FILE


async def test_nothing_else_of_the_folder_is_served(offering: World, gateway: World) -> None:
    for name in ("0" * 64, "../small.json", "small.json"):
        assert (await offering.client.get(f"{GATEWAY}/m/sha256/{name}")).status_code == 404
    assert (await gateway.client.get(f"{GATEWAY}/m/sha256/{NAME}")).status_code == 404


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda folder: publish(folder, sha256="../../etc/passwd"), "sha256 is no hash"),
        (lambda folder: publish(folder, size=7), "not 7"),
        (lambda folder: publish(folder, id="large"), "another model"),
        (lambda folder: (folder / "small.json").write_text("{"), "no manifest"),
        (lambda folder: (folder / "sha256" / NAME).unlink(), "No such file"),
    ],
)
def test_what_is_not_whole_is_not_offered(
    tmp_path: Path, spoil: Callable[[Path], object], reason: str
) -> None:
    spoil(publish(tmp_path))
    with pytest.raises(BadPublication, match=reason):
        PublishedModels(tmp_path, ["small"])


def publish_gpu(folder: Path, quantisation: str, **changes: object) -> None:
    """The same model for graphics processors."""
    content = quantisation.encode()
    name = hashlib.sha256(content).hexdigest()
    (folder / "sha256" / name).write_bytes(content)
    row = json.loads((folder / "small.json").read_text(encoding="utf-8"))
    row |= {"quantisation": quantisation, "shader_f16": True, "buffer": 9, "library": True}
    row |= {"size": len(content), "sha256": name, **changes}
    (folder / f"small@{quantisation}.json").write_text(json.dumps(row), encoding="utf-8")


async def test_a_model_for_graphics_processors_is_offered_beside_its_file(tmp_path: Path) -> None:
    offers = replace(settings().sites[0], local_models=("small",))
    publish(tmp_path)
    for quantisation in ("q4f32_1", "q4f16_1"):
        publish_gpu(tmp_path, quantisation)
    files = PublishedModels(tmp_path, ["small"])
    async with world(chosen=settings(sites=(offers,)), local_models=files) as made:
        (model,) = (await config_of(made, "site_demo"))["local_models"]
        # Sixteen bits first: half as much.
        assert [each["quantisation"] for each in model["webllm"]] == ["q4f16_1", "q4f32_1"]
        for form in model["webllm"]:
            manifest = (await made.client.get(GATEWAY + form["manifest"])).json()
            file = await made.client.get(f"{GATEWAY}/m/sha256/{manifest['sha256']}")
            assert file.text == form["quantisation"]
            assert form["library"]


@pytest.mark.parametrize("change", [{"id": "other"}, {"size": 1}, {"sha256": "x"}, {"buffer": ""}])
def test_a_form_that_is_not_whole_is_not_offered(tmp_path: Path, change: dict[str, object]) -> None:
    publish_gpu(publish(tmp_path), "q4f16_1", **change)
    with pytest.raises(BadPublication, match="Publish it again"):
        PublishedModels(tmp_path, ["small"])


@pytest.mark.parametrize(
    ("line", "key"), [('models_dir = "nowhere"', "local_models"), ("", "gateway.models_dir")]
)
def test_a_model_that_was_not_published_is_a_flaw(tmp_path: Path, line: str, key: str) -> None:
    (tmp_path / "faq.md").write_text("# One?\n\nTwo.\n")
    path = tmp_path / "fanlight.toml"
    path.write_text(
        f'[gateway]\n{line}\n[[sites]]\nkey = "site_a"\nname = "A"\n'
        'origins = ["https://a.example"]\nkb = ["faq.md"]\nlocal_models = ["small"]\n'
    )
    with pytest.raises(ConfigurationError) as caught:
        read_settings(path, {"FANLIGHT_OPERATOR_TOKEN": "a-token-of-many-letters"})
    (flaw,) = caught.value.flaws
    assert flaw.key.endswith(key)
    assert "fanlight models publish small" in flaw.remedy


def test_the_demo_offers_what_it_published(tmp_path: Path) -> None:
    environ = {
        "FANLIGHT_DATA_DIR": str(tmp_path),
        "FANLIGHT_OPERATOR_TOKEN": "a-token-of-many-letters",
    }
    assert demo_settings(tmp_path, environ).sites[0].local_models == ()
    (tmp_path / "published").mkdir()
    (tmp_path / "published" / "smollm2-135m.json").write_text("{}")
    settings = demo_settings(tmp_path, environ)
    assert settings.sites[0].local_models == ("smollm2-135m",)
    assert settings.models_dir == tmp_path / "published"


async def test_a_site_offers_its_encoder_alone_and_it_is_served(tmp_path: Path) -> None:
    sites = settings().sites
    offers = replace(sites[0], encoder="small")
    files = PublishedModels(publish(tmp_path, kind="embed"), [], ["small"])
    async with world(chosen=settings(sites=(offers, sites[1])), local_models=files) as made:
        found = await config_of(made, "site_demo")
        encoder = found["encoder"]
        assert (encoder["id"], encoder["bytes"], found["local_models"]) == ("small", len(FILE), [])
        assert "encoder" not in await config_of(made, "site_other")
        manifest = (await made.client.get(GATEWAY + encoder["manifest"])).json()
        file = await made.client.get(f"{GATEWAY}/m/sha256/{manifest['sha256']}")
        assert file.content == FILE


@pytest.mark.parametrize(
    ("kind", "ids", "encoders", "said"),
    [
        ("embed", ["small"], [], "its kind is embed, not chat"),
        ("chat", [], ["small"], "its kind is chat, not embed"),
    ],
)
def test_what_writes_and_what_encodes_are_not_taken_for_one_another(
    tmp_path: Path, kind: str, ids: list[str], encoders: list[str], said: str
) -> None:
    with pytest.raises(BadPublication, match=said):
        PublishedModels(publish(tmp_path, kind=kind), ids, encoders)


def test_an_encoder_that_was_not_published_is_a_flaw(tmp_path: Path) -> None:
    (tmp_path / "faq.md").write_text("# One?\n\nTwo.\n")
    path = tmp_path / "fanlight.toml"
    path.write_text(
        '[gateway]\nmodels_dir = "."\n[[sites]]\nkey = "site_a"\nname = "A"\n'
        'origins = ["https://a.example"]\nkb = ["faq.md"]\nencoder = "small"\n'
    )
    with pytest.raises(ConfigurationError) as caught:
        read_settings(path, {"FANLIGHT_OPERATOR_TOKEN": "a-token-of-many-letters"})
    (flaw,) = caught.value.flaws
    assert flaw.key == "sites[site_a].encoder"
    assert "fanlight models publish small" in flaw.remedy


def test_the_demo_offers_the_encoder_that_knows_its_languages(tmp_path: Path) -> None:
    environ = {
        "FANLIGHT_DATA_DIR": str(tmp_path),
        "FANLIGHT_OPERATOR_TOKEN": "a-token-of-many-letters",
    }
    (tmp_path / "published").mkdir()
    for name in ("all-minilm-l6-v2", "multilingual-e5-small"):
        (tmp_path / "published" / f"{name}.json").write_text("{}")
        found = demo_settings(tmp_path, environ)
        assert (found.sites[0].encoder, found.models_dir) == (name, tmp_path / "published")
