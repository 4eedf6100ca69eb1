"""What the browser's tokenizers are held to is what the reference says (tokenizers.json)."""

from __future__ import annotations

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
