"""Checks `sim serve` against its own description: the description against OpenAPI 3.1, and the server by
requests that schemathesis makes from it, right ones and wrong ones.

usage: serve.py SIM

By hand, with the packages of serve.txt: it takes many minutes, and is no part of the gate.
"""

import json
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from openapi_spec_validator import OpenAPIV31SpecValidator

# Right questions are rare among random ones, and each is simulated: so that none takes long.
LIMITS = ["--events", "200000", "--time", "5s", "--queue", "64"]
EXAMPLES = "40"


def check(address: str) -> int:
    """The exit code of schemathesis, for a server whose description is right."""
    with urllib.request.urlopen(f"{address}/openapi.json") as reply:
        OpenAPIV31SpecValidator(json.load(reply)).validate()
    schemathesis = Path(sys.executable).with_name("schemathesis")
    words = [
        "run",
        f"{address}/openapi.json",
        "--max-examples",
        EXAMPLES,
        "--seed",
        "1",
    ]
    checks = [
        "--checks",
        "not_a_server_error,status_code_conformance,content_type_conformance",
    ]
    # It keeps notes in the folder that it runs in.
    with tempfile.TemporaryDirectory() as folder:
        command = [schemathesis, *words, *checks]
        return subprocess.run(command, check=False, cwd=folder).returncode


def main() -> int:
    """Starts the server, and ends it."""
    words = [
        sys.argv[1],
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--format",
        "json",
        *LIMITS,
    ]
    server = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    try:
        lines = iter(server.stdout.readline, "}\n")
        return check(json.loads("".join(lines) + "}")["address"])
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    sys.exit(main())
