"""Catalogues: the one that comes along, and all that can be wrong with one."""

from pathlib import Path

import pytest

from models.errors import BadCatalog, UnknownModel
from models.registry.catalog import read_catalog
from models.registry.model import parse_source, pick
from tests.models.samples import entry, file_entry, known


def write(tmp_path: Path, *entries: str) -> Path:
    path = tmp_path / "catalog.toml"
    path.write_text("\n".join(entries), encoding="utf-8")
    return path


def problems(tmp_path: Path, *entries: str) -> str:
    with pytest.raises(BadCatalog) as raised:
        read_catalog(write(tmp_path, *entries))
    return "\n".join(raised.value.problems)


def test_the_catalogue_that_comes_along_is_whole() -> None:
    models = {each.id: each for each in read_catalog().models}
    wanted = {"smollm2-135m", "smollm2-360m", "smollm2-1.7b", "tinyllama-1.1b", "qwen2.5-0.5b"}
    assert wanted | {"llama-3.1-8b", "multilingual-e5-small", "all-minilm-l6-v2"} <= set(models)
    smallest = models["smollm2-135m"]
    assert [each.name for each in smallest.needed] == ["SmolLM2-135M-Instruct.F16.gguf"]
    assert all(each.sha256 and each.size for each in smallest.files)


def test_a_size_stands_only_beside_a_hash() -> None:
    files = [each for model in read_catalog().models for each in model.files]
    assert [each.name for each in files if bool(each.size) != bool(each.sha256)] == []


def test_every_problem_is_said_at_once(tmp_path: Path) -> None:
    said = problems(
        tmp_path,
        'colour = "red"',
        entry(model="Bad Name", kind='"poem"', parameters="0", licence="", shade='"x"'),
        entry(model="two"),
        entry(model="two"),
        entry(model="three", loads='"other"', files=file_entry(sha256='"abc"', size='"big"')),
        entry(model="four", files=file_entry(source="http://plain.example/x")),
        entry(model="five", files=file_entry("../up", made='{ by = "magic", from = "none" }')),
        entry(model="six", files=file_entry(made='{ by = "gguf-f16", from = "none", at = 1 }')),
        entry(model="seven", files=file_entry(sources="[1]")),
        entry(model="eight", files=file_entry(sources="", made='"no"')),
        entry(model="nine", files=f"{file_entry()}\n{file_entry()}"),
        entry(model="ten", kind='"embed"'),
        entry(model="eleven", embedding='"no"'),
        entry(model="twelve", kind='"embed"', embedding='{ tokenizer = "x", query = 1, way = 2 }'),
        entry(model="13", kind='"embed"', embedding='{ languages = "en", search = { kb = 1 } }'),
        entry(model="14", kind='"embed"', embedding='{ search = { kb = 1, near = "a" } }'),
    )
    for wanted in (
        "colour: unknown",
        "models[Bad Name].id: 'Bad Name' does not match",
        "models[Bad Name].kind: 'poem' is none of chat, embed",
        "models[Bad Name].parameters: a whole number",
        "models[Bad Name].licence: a text is needed",
        "models[Bad Name].shade: unknown",
        "two 1 is listed 2 times",
        "models[three].loads: there is no file 'other'",
        "models[three].files[model.gguf].sha256: 'abc' does not match",
        "models[three].files[model.gguf].size: a whole number",
        "models[four].files[model.gguf].sources: 'http://plain.example/x': it begins with none",
        "models[five].files[../up].name: '../up' does not match",
        "models[five].files[../up].made.by: 'magic' is none of gguf-f16",
        "models[six].files[model.gguf].made.at: unknown",
        "models[six].files[model.gguf].made.from: there is no file 'none'",
        "models[six].files[model.gguf]: give either sources, or what it is made from",
        "models[seven].files[model.gguf].sources: it is no list of texts",
        "models[eight].files[model.gguf].made: it is no table",
        "models[nine].files: model.gguf is listed 2 times",
        "models[ten].embedding: a model that embeds says it, and no other",
        "models[eleven].embedding: a model that embeds says it, and no other",
        "models[eleven].embedding: it is no table",
        "models[twelve].embedding.tokenizer: there is no file 'x'",
        "models[twelve].embedding.dimensions: a whole number",
        "models[twelve].embedding.query: it is no text",
        "models[twelve].embedding.way: unknown",
        "models[13].embedding.languages: it is no list of languages",
        "models[13].embedding.search: it has not kb and near, as numbers",
        "models[14].embedding.search: it has not kb and near, as numbers",
    ):
        assert wanted in said


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "models: at least one is needed"),
        ("models = [1]", "models: not all of them are tables"),
        ("models = [", "it is not TOML"),
    ],
)
def test_what_is_no_catalogue_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    assert reason in problems(tmp_path, text)


def test_a_catalogue_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadCatalog, match=r"none\.toml cannot be used:\n  it cannot be read"):
        read_catalog(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("https://hub.example/a/b?download=1", "https://hub.example/a/b?download=1"),
        ("package:some-name==1.0#pack/model.gguf", "pack/model.gguf"),
        ("file:beside.gguf", "/models/beside.gguf"),
        ("file:///elsewhere/x", "/elsewhere/x"),
    ],
)
def test_sources_are_read(text: str, place: str) -> None:
    source = parse_source(text, Path("/models"))
    assert (source.kind, source.place, source.text) == (text.partition(":")[0], place, text)


@pytest.mark.parametrize(
    "text",
    [
        "http://hub.example/a",
        "https:///a",
        "https://me:word@hub.example/a",
        "https://hub.example/a#part",
        "package:name#x",
        "package:name==1",
        "package:-e==1#x",
        "package:name==1#../x",
        "package:name==1#/x",
        "package:name==1 --index-url#x",
        "file:",
        "ftp://hub.example/a",
        "model.gguf",
    ],
)
def test_sources_that_cannot_be_trusted_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"its? "):
        parse_source(text, Path("/models"))


def test_the_newest_version_is_meant_unless_one_is_named(tmp_path: Path) -> None:
    files = file_entry(**known())
    one, two = entry(version="1", files=files), entry(version="2", files=files)
    models = read_catalog(write(tmp_path, one, two)).models
    assert pick(models, "small", None).version == "2"
    assert pick(models, "small", "1").version == "1"
    with pytest.raises(UnknownModel, match=r"no version 3\. Known: 1, 2"):
        pick(models, "small", "3")
    with pytest.raises(UnknownModel, match=r"no model big\. Known: small"):
        pick(models, "big", None)
    with pytest.raises(UnknownModel, match="no file x"):
        models[0].file("x")
