"""The programs that the package brings: where they are, and how they are asked.

A program runs as a child process. While it works the interpreter is free for other threads, and an
exception such as ``KeyboardInterrupt`` ends the program before it goes on.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from functools import cache
from importlib import metadata
from pathlib import Path

from rung.errors import RungError

FOLDER = "RUNG_BIN"
"""The environment variable that names a folder with other builds of the programs."""

NO_ANSWER = 2
"""How a program ends that has none. Other codes say what the answer is."""


def find(name: str) -> Path:
    """The program ``sim``, ``live``, ``learn`` or ``validate``."""
    folder = os.environ.get(FOLDER)
    if folder is None:
        return _installed(name)
    program = Path(folder, name)
    if not program.is_file():
        raise RungError.because(
            f"{FOLDER}={folder}",
            f"there is no program `{name}` in this folder",
            allowed="a folder with the programs sim, live, learn and validate",
            advice="build them with `cargo build`, or unset the variable",
        )
    return program


@cache
def _installed(name: str) -> Path:
    """The program that was installed with this package, wherever that is."""
    try:
        files = metadata.files("rung") or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == name:
            program = Path(str(file.locate())).resolve()
            if program.is_file():
                return program
    raise RungError.because(
        name,
        "the program is not installed beside the package `rung`",
        allowed=f"an installed wheel, or {FOLDER} with the folder of the programs",
        advice="run `pip install .` in the folder of the project again",
    )


def ask(
    arguments: Sequence[str], *, folder: str | None = None, stdin: bytes | None = None
) -> bytes:
    """Runs ``sim`` with these arguments in this folder, and hands back what it writes.

    The answer is whole or there is none: `RungError` has the reasons.
    """
    program = find("sim")
    try:
        done = subprocess.run(
            [program, *arguments],
            cwd=folder,
            input=b"" if stdin is None else stdin,
            capture_output=True,
            check=False,
        )
    except OSError as error:
        raise RungError.because(str(program), f"cannot be started: {error.strerror}") from error
    except ValueError as error:
        raise RungError.because("arguments", f"cannot be passed to sim: {error}") from error
    talk = done.stderr.decode(errors="replace")
    if done.returncode < 0:
        ended = signal.Signals(-done.returncode).name
        raise RungError.because("sim", f"was ended by {ended} before it had an answer")
    if done.returncode == NO_ANSWER:
        raise RungError.of_program("sim", talk)
    return done.stdout
