"""The programs that the package brings: where they are, and how they are asked.

A program runs as a child process. While it works the interpreter is free for other threads, and an
exception such as ``KeyboardInterrupt`` ends the program before it goes on.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from functools import cache
from importlib import metadata
from pathlib import Path
from types import FrameType

from rung.errors import Ended, RungError

FOLDER = "RUNG_BIN"
"""The environment variable that names a folder with other builds of the programs."""

ANSWERED = (0, 3, 4)
"""Exit codes with an answer: all well, nobody can tell, an objective is broken."""

POLL = 0.2
"""Seconds between two looks at whether a program is still wanted."""

SET_PARENT_DEATH_SIGNAL = 1
"""``PR_SET_PDEATHSIG`` of prctl(2)."""


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
    arguments: Sequence[str],
    *,
    folder: str | None = None,
    stdin: bytes | None = None,
    unless: Callable[[], bool] | None = None,
) -> bytes:
    """Runs ``sim`` with these arguments in this folder, and hands back what it writes.

    The answer is whole or there is none: `RungError` has the reasons.

    Args:
        arguments: the words of the command line, without the program.
        folder: where the program runs.
        stdin: what it can read.
        unless: is asked some times a second whether to end the program. Where it is given, the
            program also ends with the thread that runs it, even if this process is killed.
    """
    program = find("sim")
    try:
        code, answer, talk = _run([str(program), *arguments], folder, stdin, unless)
    except OSError as error:
        raise RungError.because(str(program), f"cannot be started: {error.strerror}") from error
    except ValueError as error:
        raise RungError.because("arguments", f"cannot be passed to sim: {error}") from error
    if code < 0:
        ended = signal.Signals(-code).name
        raise Ended.because("sim", f"was ended by {ended} before it had an answer")
    if code not in ANSWERED:
        raise RungError.of_program("sim", talk.decode(errors="replace"))
    return answer


def _run(
    command: Sequence[str],
    folder: str | None,
    stdin: bytes | None,
    unless: Callable[[], bool] | None,
) -> tuple[int, bytes, bytes]:
    """How a command ended, and what it wrote. It ends with whatever ends this call."""
    children: list[subprocess.Popen[bytes]] = []

    def start() -> None:
        pipe = subprocess.PIPE
        tie = None if unless is None else _tie()
        children.append(
            subprocess.Popen(
                command, cwd=folder, stdin=pipe, stdout=pipe, stderr=pipe, preexec_fn=tie
            )
        )

    try:
        _without_interrupts(start)
        (child,) = children
        answer, talk = _talk(child, stdin or b"", unless)
        return child.returncode, answer, talk
    except BaseException:
        for child in children:
            child.kill()
            child.wait()
        raise


def _talk(
    child: subprocess.Popen[bytes], stdin: bytes, unless: Callable[[], bool] | None
) -> tuple[bytes, bytes]:
    """What a child writes until it ends, or is ended."""
    if unless is None:
        return child.communicate(stdin)
    rest: bytes | None = stdin
    while True:
        try:
            return child.communicate(rest, timeout=POLL)
        except subprocess.TimeoutExpired:
            rest = None
        if unless():
            child.kill()


def _tie() -> Callable[[], None] | None:
    """What a child does before it becomes a program that is to end with the thread that started it.

    Linux can do so: a process that is killed cannot end its children itself.
    """
    if sys.platform != "linux":
        return None
    # Looked up before the fork: in the child no lock of another thread is ever released.
    prctl, parent, end = ctypes.CDLL(None).prctl, os.getpid(), ctypes.c_ulong(signal.SIGKILL)

    def tie() -> None:
        prctl(SET_PARENT_DEATH_SIGNAL, end)
        if os.getppid() != parent:
            os._exit(1)

    return tie


def _without_interrupts(work: Callable[[], None]) -> None:
    """Does the work to its end; Ctrl-C counts after it. An interrupt between the start of a child
    and the moment from which it is known would leave it alone.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        # Python interrupts its main thread alone.
        return work()
    noted: list[tuple[int, FrameType | None]] = []
    signal.signal(signal.SIGINT, lambda *call: noted.append(call))
    try:
        work()
    finally:
        signal.signal(signal.SIGINT, before)
    if noted:
        before(*noted[0])
