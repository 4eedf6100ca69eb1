"""Makes files of models from others, as the catalogue's `made` says.

A maker gives the same bytes on every machine: the hash of what it makes is written down like any
other. What it is made with is not needed where nothing is made, so it is imported here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO, Final

from models.errors import INSTALL, ModelError
from models.registry.progress import Told

type Maker = Callable[[Path, BinaryIO, Told], None]


def make(maker: str, ingredient: Path, out: BinaryIO, told: Told) -> None:
    """Write to `out` what this maker makes of the ingredient.

    Raises `BadFile` for an ingredient that is not one, `ModelError` where a library is missing.
    """
    try:
        _MAKERS[maker](ingredient, out, told)
    except ImportError as error:
        raise ModelError(f"{error.name} is missing, which makes the file. {INSTALL}") from error


def _gguf_f16(ingredient: Path, out: BinaryIO, told: Told) -> None:
    from models.gguf.half import write_half  # noqa: PLC0415

    write_half(ingredient, out, told)


def _bert_int8(ingredient: Path, out: BinaryIO, told: Told) -> None:
    from models.encoder.bert import bert_int8  # noqa: PLC0415
    from models.encoder.packed import Packed  # noqa: PLC0415

    out.write(bert_int8(Packed(ingredient), told))


_MAKERS: Final[Mapping[str, Maker]] = {"gguf-f16": _gguf_f16, "bert-int8": _bert_int8}
