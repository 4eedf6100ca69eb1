"""Run as a program, in a process of its own: JAX's threads bear no fork, which other tests may do.

Reads JSON from stdin: the file, prompts as tokens, how many to write, and the likeliest of each.
Prints the tokens that the decoder writes in 32 bits, and how likely it holds those, in 16 as well.
"""

import json
import sys
from pathlib import Path

import jax
import jax.numpy as jnp

from models.engines import decoder


def main() -> None:
    asked = json.loads(sys.stdin.read())
    logprobs = {}
    tokens: list[list[int]] = []
    for dtype, count in (("bfloat16", 1), ("float32", asked["count"])):
        shape, weights = decoder.load(Path(asked["path"]), jnp.dtype(dtype))
        tokens, logits = decoder.greedy(shape, weights, asked["prompts"], count)
        rows = jax.nn.log_softmax(logits, axis=-1)
        logprobs[dtype] = [
            [float(row[token]) for token in ids]
            for row, ids in zip(rows, asked["likeliest"], strict=True)
        ]
    sys.stdout.write(json.dumps({"tokens": tokens, "logprobs": logprobs}))


if __name__ == "__main__":
    main()
