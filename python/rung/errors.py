"""Why there is no answer."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One problem: where it is, what was found, what is allowed there, what to do."""

    file: str
    found: str
    line: int | None = None
    column: int | None = None
    allowed: str | None = None
    advice: str | None = None

    def __str__(self) -> str:
        place = "" if self.line is None else f":{self.line}:{self.column}"
        where = f"{self.file}{place}: " if self.file else ""
        lines = [f"{where}{self.found}"]
        if self.allowed is not None:
            lines.append(f"  allowed: {self.allowed}")
        if self.advice is not None:
            lines.append(f"  {'' if self.advice.endswith('?') else 'do: '}{self.advice}")
        return "\n".join(lines)


class RungError(Exception):
    """There is no answer. ``problems`` has every reason, the message all of them in words."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)

    def __reduce__(self) -> tuple[type[RungError], tuple[tuple[Problem, ...]]]:
        return (type(self), (self.problems,))

    @classmethod
    def of_program(cls, name: str, talk: str) -> RungError:
        """What a program says on standard error when it has no answer."""
        try:
            told = json.loads(talk)
        except ValueError:
            told = None
        if not isinstance(told, list) or not told:
            # Wrong options come as text, and the way to the help text after them.
            said = talk.split("\n\nFor more information")[0].strip().removeprefix("error: ")
            said = said or "ended without an answer"
            return cls([Problem(file=name, found=said)])
        return cls(Problem(**problem) for problem in told)

    @classmethod
    def because(
        cls, file: str, found: str, *, allowed: str | None = None, advice: str | None = None
    ) -> RungError:
        """An error with one reason."""
        return cls([Problem(file=file, found=found, allowed=allowed, advice=advice)])


class Ended(RungError):
    """A program was ended from outside, so that asking again may help."""
