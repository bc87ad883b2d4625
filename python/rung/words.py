"""Values of Python in the words of the command line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from decimal import Decimal
from numbers import Integral, Real
from typing import TypeAlias

from rung.errors import RungError

Value: TypeAlias = "str | bool | int | float | timedelta | Mapping[str, Value] | Iterable[Value]"
"""What a key may be set to. A text is taken as the command line takes it: ``"4s"``, ``"async"``."""


def value(key: str, given: Value) -> str:
    """A value as ``--set`` takes it.

    >>> value("service.workers", 4), value("upstream.partner.latency", {"p50": "4s", "p99": "22s"})
    ('4', '{ "p50" = "4s", "p99" = "22s" }')
    """
    match given:
        case str():
            return given
        case timedelta():
            return _duration(given)
    return _toml(key, given)


def values(key: str, given: str | Iterable[Value]) -> str:
    """Values as ``--vary`` takes them: as they are written, or one after the other.

    >>> values("load.users", "50..400:50"), values("load.users", range(50, 200, 50))
    ('50..400:50', '50,100,150')
    """
    if isinstance(given, str):
        return given
    if not isinstance(given, Iterable) or isinstance(given, Mapping):
        raise _wrong(key, given, 'a text such as "1..8", or several values')
    words = (value(key, one) for one in given)
    return ",".join(
        _toml(key, word) if "," in word and word[0] not in "[{" else word for word in words
    )


def share(given: float | str) -> str:
    """A share as the options take it.

    >>> share(0.07), share("7%")
    ('7.00%', '7%')
    """
    return given if isinstance(given, str) else f"{Decimal(repr(float(given))) * 100}%"


def _toml(key: str, given: Value) -> str:
    match given:
        case str():
            return json.dumps(given, ensure_ascii=False)
        case bool():
            return "true" if given else "false"
        case timedelta():
            return f'"{_duration(given)}"'
        case Integral():
            return str(int(given))
        case Real():
            return repr(float(given))
        case Mapping():
            pairs = (f"{json.dumps(name)} = {_toml(key, one)}" for name, one in given.items())
            return f"{{ {', '.join(pairs)} }}"
        case Iterable() if not isinstance(given, bytes):
            return f"[{', '.join(_toml(key, one) for one in given)}]"
    raise _wrong(key, given, "a text, a number, true or false, a timedelta, a list or a mapping")


def _duration(given: timedelta) -> str:
    return f"{given // timedelta(microseconds=1)}us"


def _wrong(key: str, given: object, allowed: str) -> RungError:
    return RungError.because(
        key, f"has a value of the type {type(given).__name__}", allowed=allowed
    )
