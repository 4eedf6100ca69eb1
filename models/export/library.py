"""Has MLC's own compiler make the library that WebLLM runs a folder's weights with.

`mlc_llm` is in no package index; it is used where it is installed, and nothing else needs it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from models.errors import EngineFailed

TIMEOUT_S: Final = 3600
_SHOWN: Final = 2_000


def check_compiler() -> None:
    """Raise `EngineFailed` where the compiler is not installed."""
    if find_spec("mlc_llm") is None:
        raise EngineFailed(
            "mlc_llm is not installed, which compiles libraries for WebLLM. "
            "https://llm.mlc.ai/docs/install/mlc_llm.html says how. Or leave --library out, and "
            "use a library that was compiled for this architecture and quantisation."
        )


def compile_library(folder: Path, library: Path, timeout_s: float = TIMEOUT_S) -> None:
    """Compile for WebGPU. Raises `EngineFailed` with what the compiler said."""
    check_compiler()
    library = library.resolve()
    coming = library.with_name(f".{library.stem}.{os.getpid()}.part.wasm")
    # Its own words: a folder with its config, the device, and where the library goes.
    command = [
        sys.executable, "-m", "mlc_llm", "compile", str(folder / "mlc-chat-config.json"),
        "--device", "webgpu", "--output", str(coming),
    ]  # fmt: skip
    try:
        done = subprocess.run(  # noqa: S603 - the interpreter that runs this
            command, capture_output=True, text=True, timeout=timeout_s, check=False
        )
        if done.returncode or not coming.is_file():
            said = (done.stderr or done.stdout)[-_SHOWN:]
            raise EngineFailed(f"mlc_llm made no library. It said:\n{said}")
        coming.replace(library)
    except subprocess.TimeoutExpired as error:
        raise EngineFailed(f"mlc_llm took longer than {timeout_s:g} s; it was ended.") from error
    finally:
        coming.unlink(missing_ok=True)
