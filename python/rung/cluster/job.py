"""A sweep as data: all that a process on another machine needs to compute shards of it."""

from __future__ import annotations

import json
import re
import tomllib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from rung.errors import RungError

if TYPE_CHECKING:
    from rung.scenario import Scenario

NONE = "1000000000000/1000000000000"
"""A shard without points, since there are never so many: its part says what the sweep is."""

BLOCK = re.compile(r'^trace = ("""\n.*?^""")$', re.MULTILINE | re.DOTALL)
LINE = re.compile(r'(?<=[{ ])trace = ("(?:[^"\\]|\\.)*")')
"""Recorded arrivals in a scenario that is printed complete: of its load, and of a group."""


@dataclass(frozen=True)
class Job:
    """A sweep. The same job has the same answer on every machine that has the same build."""

    words: tuple[str, ...]
    """What ``sim`` is asked, but for the shard."""
    files: tuple[tuple[str, bytes], ...]
    """Names and compressed texts of the files that the words name, each beside the others."""
    head: dict[str, Any]
    """The first line of a part: with which build, of which scenario, at which values."""

    @classmethod
    def of(cls, scenario: Scenario, options: Sequence[str]) -> Job:
        """The sweep of a scenario with these options of ``sim sweep``.

        Raises:
            RungError: with every problem of the files, values and options.
        """
        # This computes nothing, and tells each problem as data, which a shard does not.
        scenario.ask("sweep", [*options, "--emit=slurm"])
        part = scenario.ask("sweep", [*options, f"--shard={NONE}"], form=None)
        head = json.loads(part.splitlines()[0])
        # In a folder of its own: values of the sweep may name files as they like.
        file = f"scenario/{head['job']['scenario']}.toml"
        files = _parted(file, scenario.toml()) | _varied(scenario, head["job"]["vary"])
        # What changes the scenario, its seed included, is in the text already.
        words = ("sweep", "--no-cache", *options, "--", file)
        texts = ((name, zlib.compress(text.encode())) for name, text in files.items())
        return cls(words, tuple(texts), head)

    @property
    def points(self) -> int:
        """How many points the sweep has."""
        return prod(len(axis["values"]) for axis in self.head["job"]["vary"])

    def write(self, folder: Path) -> None:
        """Writes the files into a folder."""
        for name, text in self.files:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(zlib.decompress(text))


def _parted(file: str, text: str) -> dict[str, str]:
    """A scenario that is printed complete, with recorded arrivals in files of their own: they may
    be longer than a scenario.
    """
    files: dict[str, str] = {}

    def apart(match: re.Match[str]) -> str:
        name = f"recorded-{len(files) + 1}.csv"
        files[f"scenario/{name}"] = tomllib.loads(f"trace = {match[1]}")["trace"]
        return f'trace = "{name}"'

    return {file: LINE.sub(apart, BLOCK.sub(apart, text)), **files}


def _varied(scenario: Scenario, axes: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Files that are values of the sweep, as those of ``costs`` and ``load.trace`` are."""
    folders = (Path(scenario.folder), Path(scenario.folder, scenario.file).parent)
    files: dict[str, str] = {}
    for axis in axes:
        if axis["key"].split(".")[-1] not in ("costs", "trace"):
            continue
        for value in axis["values"]:
            named = (folder / value for folder in folders)
            found = next((path for path in named if _is_file(path)), None)
            if found is not None:
                files[_inside(axis["key"], value)] = found.read_text(encoding="utf-8")
    return files


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        # A text too long or too strange for a path: the lines of a file, and not its name.
        return False


def _inside(key: str, value: str) -> str:
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts:
        raise RungError.because(
            f"{key}={value}",
            "lies outside of the folder that is sent to workers",
            allowed="on a cluster, files in this folder or below it",
            advice="copy the file, and name it from here",
        )
    return value
