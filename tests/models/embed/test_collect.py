"""The text collector: what its readers find, what cleaning leaves, and how rows are made."""

from __future__ import annotations

import gzip
import hashlib
import json
import struct
import tarfile
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from models.embed.archives import fetch_archive, read_members
from models.embed.clean import clean
from models.embed.collect import SOURCES, align, clean_unit, count_words, main, once
from models.embed.javascript import find_strings
from models.embed.readers import read_texts
from models.embed.sources import SourceError, load_sources


@pytest.mark.parametrize(
    ("text", "language", "cleaned"),
    [
        ("Delete <b>{name}</b> now?", "en", "Delete now?"),
        ("See [the help](https://example.org/help) first", "en", "See the help first"),
        ("%(count)s new messages, sent to you by %s", "en", "new messages, sent to you by"),
        ("{count, plural, one {# file} other {# files}} copied", "en", "files copied"),
        ("{{ user }}, tu pedido está en camino", "es", "tu pedido está en camino"),
        ("&Guardar como…", "es", "Guardar como…"),
        ("Salt &amp; pepper", "en", "Salt & pepper"),
        ("\u200fשָׁלוֹם עוֹלָם", "he", "שלום עולם"),
        ("הגדרת Z-Wave", "he", "הגדרת Z-Wave"),
    ],
)
def test_cleaning_leaves_what_a_person_reads(text: str, language: str, cleaned: str) -> None:
    assert clean(text, language) == cleaned


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("{a} {b} ok", "en"),
        ("12:30", "en"),
        ("Settings", "he"),
        ("הגדרות", "es"),
        ("¿Dónde está mi pedido?", "en"),
        ("x" * 401, "en"),
        ("", "en"),
    ],
)
def test_text_that_is_none_is_refused(text: str, language: str) -> None:
    assert clean(text, language) == ""


def test_javascript_is_read_by_the_place_of_its_strings() -> None:
    module = """
        import x from "./x.js";  // "a remark"
        const en = { save: 'Save', "two words": { list: ["One", `Two ${n}`] },
                     long: "It's " + 'joined', skipped: void 0 };
        Blockly.Msg["COLOUR"] = "Colour";
    """
    found = {place.replace("\x1f", "/").strip("/"): text for place, text in find_strings(module)}
    assert found == {
        "save": "Save",
        "two words/list/0": "One",
        "two words/list/1": "Two ${n}",
        "long": "It's joined",
        "COLOUR": "Colour",
    }


def test_objects_of_two_languages_have_the_same_places() -> None:
    spanish = dict(find_strings("const es_ES = { strings: { back: 'Atrás' } };"))
    hebrew = dict(find_strings("he_IL = { strings: { back: 'חזרה' } };"))
    assert spanish.keys() == hebrew.keys()


def test_po_gives_plurals_and_passes_over_fuzzy_entries() -> None:
    catalogue = b"""
msgid ""
msgstr "Language: es\\n"

msgid "One order"
msgid_plural "Many "
"orders"
msgstr[0] "Un pedido"
msgstr[1] "Muchos pedidos"

#, fuzzy
msgid "Guess"
msgstr "Adivina"
"""
    assert read_texts("po", catalogue) == {
        "One order": ["Un pedido"],
        "Many orders": ["Muchos pedidos"],
    }


def test_mo_is_read_without_its_contexts() -> None:
    pairs = [(b"", b"Language: he\n"), (b"menu\x04Open", "פתיחה".encode())]
    assert read_texts("mo", _mo(pairs)) == {"Open": ["פתיחה"]}


def _mo(pairs: list[tuple[bytes, bytes]]) -> bytes:
    count = len(pairs)
    tables, body, start = [b"", b""], b"", 28 + 16 * count
    for column in (0, 1):
        for pair in pairs:
            tables[column] += struct.pack("<2I", len(pair[column]), start + len(body))
            body += pair[column] + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, count, 28, 28 + 8 * count, 0, 0)
    return head + tables[0] + tables[1] + body


@pytest.mark.parametrize(
    ("format", "data", "texts"),
    [
        ("json", '{"a": {"b": "Hi"}, "a___DESCRIPTION": "A remark"}', {"\x1fa\x1fb": ["Hi"]}),
        ("json-rooted", '{"es": {"a": "Hola", "b": "Sí"}}', {"\x1fa": ["Hola"], "\x1fb": ["Sí"]}),
        (
            "annotations",
            (
                '{"a": {"annotations": {"😀": {"default": ["x", "y"], "tts": ["z"]},'
                ' "👍🏽": {"tts": ["t"]}}}}'
            ),
            {"😀 name": ["z"], "😀 keywords": ["x y"]},
        ),
        ("properties", "# no\nA.B = It''s \\u05d0\\\n  ok", {"A.B": ["It's אok"]}),
        (
            "fluent",
            "close = Close\n    .title = Close it\n# no\nlong =\n    Two\n    lines",
            {"close": ["Close"], "close.title": ["Close it"], "long": [" Two lines"]},
        ),
        ("lines", "(turn|switch) on [the] light\n\n# no\n", {"": ["turn on  light"]}),
        (
            "conversations",
            "conversations:\n- - Hi\n  - Hello\n",
            {"Hi": ["Hi"], "Hello": ["Hello"]},
        ),
        ("counts", "the 12\nof 3\n", {"the": ["12"], "of": ["3"]}),
        ("javascript-english", 'export default {"Add": "הוספה"}', {"Add": ["הוספה"]}),
        ("javascript-rooted", "x({'es': {a: 'Hola', b: 'Sí'}})", {"a": ["Hola"], "b": ["Sí"]}),
    ],
)
def test_formats_are_read(format: str, data: str, texts: dict[str, list[str]]) -> None:  # noqa: A002
    assert read_texts(format, data.encode()) == texts


def test_unknown_format_is_refused() -> None:
    with pytest.raises(ValueError, match="format must be one of"):
        read_texts("docx", b"")


def test_texts_of_one_key_stand_beside_each_other() -> None:
    texts = {
        "en": {"a": ["Time?", "What time is it?"], "b": ["Bye"]},
        "es": {"a": ["¿Qué hora es?"]},
    }
    assert list(align(texts, keyed_by_english=False)) == [
        {"en": "Time?", "es": "¿Qué hora es?"},
        {"en": "What time is it?"},
        {"en": "Bye"},
    ]


def test_key_is_the_english_of_a_catalogue() -> None:
    assert list(align({"he": {"0\x1eOpen": ["פתיחה"]}}, keyed_by_english=True)) == [
        {"he": "פתיחה", "en": "Open"}
    ]


def test_untranslated_text_is_dropped_unless_it_is_a_name() -> None:
    unit = {"en": "Panama", "es": "Panama"}
    assert clean_unit(unit, ("en", "es", "he"), names=False) == {"en": "Panama"}
    assert clean_unit(unit, ("en", "es", "he"), names=True) == unit


def test_row_within_another_is_dropped() -> None:
    whole = {"source": "a", "kind": "interface", "en": "Yes", "es": "Sí", "he": "כן"}
    part = {"source": "b", "kind": "interface", "en": "Yes", "he": "כן"}
    other = {"source": "b", "kind": "interface", "en": "Yes", "he": "נכון"}
    assert once([part, other, whole, whole]) == [whole, other]


def test_word_list_weighs_as_much_as_the_rows() -> None:
    counts = count_words([{"en": "Pay pay now"}], [("en", {"the": 900, "pay": 100})], ("en",))
    assert counts["en"] == {"pay": 3, "now": 1, "the": 3}


def test_shipped_sources_are_well_formed() -> None:
    sources = load_sources(SOURCES)
    assert {language for source in sources for language in source.paths} == {"en", "es", "he"}


def _archive(folder: Path, files: dict[str, str]) -> str:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
    (folder / "demo.whl").write_bytes(buffer.getvalue())
    return hashlib.sha256(buffer.getvalue()).hexdigest()


def _sources(folder: Path, **changes: str) -> Path:
    fields = {
        "name": "demo",
        "registry": "pypi",
        "package": "demo",
        "version": "1",
        "file": "demo.whl",
        "sha256": "0" * 64,
        "licence": "MIT",
        "licence_file": "LICENSE",
        "what": "a demonstration",
        "format": "json",
        "kind": "interface",
    } | changes
    lines = [f"{name} = {json.dumps(value)}" for name, value in fields.items()]
    paths = '[source.paths]\nen = "*/en.json"\nes = "*/es.json"\n'
    path = folder / "sources.toml"
    path.write_text("[[source]]\n" + "\n".join(lines) + f"\n{paths}", encoding="utf-8")
    return path


FILES = {
    "LICENSE": "MIT",
    "a/en.json": '{"x": "Save <b>it</b>", "y": "OK"}',
    "a/es.json": '{"x": "Guardar", "y": "OK"}',
    "b/en.json": '{"x": "Close"}',
}


def test_command_writes_rows_and_words(tmp_path: Path) -> None:
    sources = _sources(tmp_path, sha256=_archive(tmp_path, FILES))
    rows, words = tmp_path / "out" / "rows.jsonl.gz", tmp_path / "words.tsv"
    arguments = ["--cache", str(tmp_path), "--out", str(rows), "--words", str(words)]
    assert main([*arguments, "--sources", str(sources)]) == 0
    with gzip.open(rows, "rt", encoding="utf-8") as stream:
        assert [json.loads(line) for line in stream] == [
            {"source": "demo", "kind": "interface", "en": "Close"},
            {"source": "demo", "kind": "interface", "en": "OK"},
            {"source": "demo", "kind": "interface", "en": "Save it", "es": "Guardar"},
        ]
    assert words.read_text(encoding="utf-8").splitlines()[-1] == "es\tguardar\t1"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"licence": "GPL-3.0-only"}, "licence must be one of"),
        ({"format": "docx"}, "format must be one of"),
        ({"sha256": "0"}, "sha256 must be 64"),
        ({"extra": "1"}, "extra is no field"),
    ],
)
def test_source_that_says_too_little_is_refused(
    tmp_path: Path, changes: dict[str, str], message: str
) -> None:
    with pytest.raises(SourceError, match=message):
        load_sources(_sources(tmp_path, **changes))


def test_archive_with_another_hash_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _archive(tmp_path, FILES)
    out = tmp_path / "rows.jsonl.gz"
    sources = str(_sources(tmp_path))
    assert main(["--cache", str(tmp_path), "--out", str(out), "--sources", sources]) == 2
    assert "delete it and run again" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"licence_file": "COPYING"}, "has no COPYING"),
        ({"sha256": ""}, "nothing in demo.whl matches paths.es"),
    ],
)
def test_archive_without_what_its_source_names_is_refused(
    tmp_path: Path, changes: dict[str, str], message: str
) -> None:
    files = FILES if "licence_file" in changes else {"LICENSE": "MIT", "a/en.json": "{}"}
    digest = _archive(tmp_path, files)
    (source,) = load_sources(_sources(tmp_path, **{**changes, "sha256": digest}))
    with pytest.raises(SourceError, match=message):
        read_members(source, fetch_archive(source, tmp_path))


def test_object_of_a_variable_is_cut_out_of_a_module(tmp_path: Path) -> None:
    module = "var EN = {\n  a: 'Hi',\n};\nvar ES = {\n  a: 'Hola',\n};\n"
    path = tmp_path / "demo.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in {"LICENSE": "MIT", "all.js": module}.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, BytesIO(text.encode()))
    toml = _sources(tmp_path, format="javascript")
    text = toml.read_text(encoding="utf-8")
    text = text.replace("*/en.json", "all.js#EN").replace("*/es.json", "all.js#ES")
    toml.write_text(text, encoding="utf-8")
    (source,) = load_sources(toml)
    members = read_members(source, path)
    assert b"Hola" in members["es"]["0"]
    assert b"Hola" not in members["en"]["0"]
