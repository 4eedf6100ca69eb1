"""What the browser's tokenizers are held to is what the reference says (tokenizers.json)."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

CASES = json.loads((Path(__file__).with_name("tokenizers.json")).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", CASES)
def test_the_reference_cuts_the_samples_so(name: str) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    tokenizer = tokenizers.Tokenizer.from_str(json.dumps(CASES[name]["tokenizer"]))
    for sample in CASES[name]["samples"]:
        assert tokenizer.encode(sample["text"]).ids == sample["ids"], sample["text"]


def test_the_reference_reads_the_table_of_characters_so() -> None:
    normalizers = pytest.importorskip("tokenizers.normalizers")
    case = json.loads(Path(__file__).with_name("charsmap.json").read_text(encoding="utf-8"))
    table = normalizers.Precompiled(base64.b64decode(case["charsmap"]))
    for sample in case["samples"]:
        assert table.normalize_str(sample["text"]) == sample["normal"]
