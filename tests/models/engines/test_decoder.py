"""Our own decoder against llama.cpp, on the same F16 weights."""

import asyncio
import json
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from models.engines.llama import LlamaEngine, LlamaSettings
from tests.models import samples

pytestmark = pytest.mark.needs("weights", "jax")

COUNT = 12
PROMPTS = (
    "The capital of France is",
    "Water boils at",
    "Once upon a time,",
    "The three primary colours are",
    "def add(a, b):",
    "A dog is",
    "The sun rises in the",
    "My favourite food is",
    "In 1969, humans",
    "The opposite of hot is",
    "To bake bread, you need",
    "A week has",
    "The largest ocean is",
    "Python is a",
    "She opened the door and",
    "2 + 2 =",
    "The quick brown fox",
    "Shakespeare wrote",
    "Hello, my name is",
    "The best way to learn is",
)


@dataclass(frozen=True)
class Compared:
    """What llama.cpp and our decoder made of one prompt.

    `theirs` are llama.cpp's tokens, each with the likeliest; `logprobs` are ours of the likeliest
    first tokens, in 32 bits and in 16.
    """

    theirs: list[dict[str, Any]]
    tokens: list[int]
    logprobs: dict[str, list[float]]

    def furthest(self, dtype: str) -> float:
        """The greatest difference between log-probabilities of first tokens."""
        likeliest = self.theirs[0]["top_logprobs"]
        return max(
            abs(mine - float(each["logprob"]))
            for mine, each in zip(self.logprobs[dtype], likeliest, strict=True)
        )


@pytest.fixture(scope="module")
def compared(smollm2: Path) -> dict[str, Compared]:
    """Each prompt, continued by both."""
    prompts, written = asyncio.run(llama_cpp(smollm2))
    asked = {
        "path": str(smollm2),
        "prompts": prompts,
        "count": COUNT,
        "likeliest": [[each["id"] for each in row[0]["top_logprobs"]] for row in written],
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.models.engines.jax_greedy"],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    return {
        prompt: Compared(
            written[at],
            found["tokens"][at],
            {dtype: found["logprobs"][dtype][at] for dtype in ("float32", "bfloat16")},
        )
        for at, prompt in enumerate(PROMPTS)
    }


async def llama_cpp(path: Path) -> tuple[list[list[int]], list[list[dict[str, Any]]]]:
    """Each prompt's tokens, and those that llama.cpp writes after them."""
    engine = LlamaEngine(path, LlamaSettings("llama", context=128, threads=2))
    await engine.load()
    prompts, written = [], []
    for prompt in PROMPTS:
        tokens = engine._tokens(engine._server, prompt)
        asked = {"prompt": tokens, "max_tokens": COUNT, "temperature": 0, "logprobs": 5}
        reply = engine._server.handle_completions(asked)
        prompts.append(tokens)
        written.append(reply["choices"][0]["logprobs"]["content"])
    await engine.unload()
    return prompts, written


@pytest.mark.parametrize("prompt", PROMPTS)
def test_it_writes_what_llama_cpp_writes(compared: dict[str, Compared], prompt: str) -> None:
    both = compared[prompt]
    theirs = [each["id"] for each in both.theirs]
    assert both.tokens[: len(theirs)] == theirs
    assert len(theirs) > 3


def test_it_is_as_sure_of_the_next_token(compared: dict[str, Compared]) -> None:
    assert max(each.furthest("float32") for each in compared.values()) < 0.05


def test_in_half_as_many_bits_it_is_nearly_as_sure(compared: dict[str, Compared]) -> None:
    # Eight bits of precision through thirty layers.
    assert max(each.furthest("bfloat16") for each in compared.values()) < 0.5


def number(name: str, value: int) -> bytes:
    return samples.key(name, 4, struct.pack("<I", value))


def real(name: str, value: float) -> bytes:
    return samples.key(name, 6, struct.pack("<f", value))


KEYS = (
    samples.ARCHITECTURE,
    number("llama.block_count", 1),
    number("llama.context_length", 64),
    number("llama.embedding_length", 8),
    number("llama.attention.head_count", 2),
    number("llama.attention.head_count_kv", 1),
    samples.key("tokenizer.ggml.tokens", 9, struct.pack("<IQ", 8, 4) + samples.text("w") * 4),
)
TENSORS = (
    samples.tensor("token_embd.weight", (8, 4), 0, 0),
    samples.tensor("blk.0.attn_norm.weight", (8,), 0, 128),
)
REAL = (real("llama.rope.freq_base", 1e4), real("llama.attention.layer_norm_rms_epsilon", 1e-5))
LOAD = """
import sys
from pathlib import Path
from models.engines.decoder import load
from models.errors import BadFile
for name in sys.argv[1:]:
    try:
        load(Path(name))
    except BadFile as error:
        print(error)
"""


def test_a_file_that_lacks_something_is_refused_by_name(tmp_path: Path) -> None:
    files = {
        "base.gguf": samples.gguf(KEYS, TENSORS, bytes(160)),
        "zero.gguf": samples.gguf([*KEYS, real("llama.rope.freq_base", 0)], TENSORS, bytes(160)),
        "query.gguf": samples.gguf([*KEYS, *REAL], TENSORS, bytes(160)),
    }
    paths = [samples.write(tmp_path / name, data) for name, data in files.items()]
    done = subprocess.run(
        [sys.executable, "-c", LOAD, *paths],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout.splitlines() == [
        "The header has no positive number under llama.rope.freq_base.",
        "The header has no positive number under llama.rope.freq_base.",
        "query.gguf has no tensor blk.0.attn_q.weight.",
    ]
