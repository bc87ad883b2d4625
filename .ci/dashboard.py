"""Checks a dashboard against the types of Grafana: what they do not know is lost on the way.

usage: dashboard.py DASHBOARD
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.cog import encoder, plugins
from grafana_foundation_sdk.models.dashboard import Dashboard


def lost(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """Paths of what is in the first value and not in the second."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key, value in before.items():
            yield from lost(value, after.get(key), f"{path}/{key}")
    elif isinstance(before, list) and isinstance(after, list):
        if len(before) != len(after):
            yield path
        for index, (one, other) in enumerate(zip(before, after, strict=False)):
            yield from lost(one, other, f"{path}/{index}")
    elif before != after:
        yield path


def main(file: str) -> None:
    plugins.register_default_plugins()
    written = json.loads(Path(file).read_text())
    read = Dashboard.from_json(json.loads(json.dumps(written)))
    again = json.loads(encoder.JSONEncoder(sort_keys=True).encode(read))
    unknown = list(lost(written, again))
    assert not unknown, f"Grafana does not know {unknown}"
    # The check itself finds what is misspelt.
    written["panels"][0]["gridPos"]["width"] = 1
    assert list(lost(written, again)) == ["/panels/0/gridPos/width"]
    print(f"{len(written['panels'])} panels are as Grafana reads them")


if __name__ == "__main__":
    main(sys.argv[1])
