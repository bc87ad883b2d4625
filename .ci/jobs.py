"""Checks the jobs that `sim sweep --emit` writes against the rules of those who read them.

usage: jobs.py LIST_FOR_KUBERNETES SCRIPT_FOR_BATCH
"""

import json
import re
import sys
from pathlib import Path

import kubernetes_validate
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import validate_parameters

VERSION = "1.37"


def kubernetes(file: str) -> int:
    items = json.loads(Path(file).read_text())["items"]
    for item in items:
        kubernetes_validate.validate(item, VERSION, strict=True)
    return len(items)


def batch(file: str) -> int:
    documents = re.findall(
        r"<<'(SHARD|MERGE)'\n(.*?)\1\n", Path(file).read_text(), re.DOTALL
    )
    service = ServiceModel(Loader().load_service_model("batch", "service-2"))
    shape = service.operation_model("SubmitJob").input_shape
    for _, text in documents:
        # Both are named by the script's own words.
        named = {"jobQueue": "queue", "jobDefinition": "sim"}
        validate_parameters(json.loads(text) | named, shape)
        unknown = set(json.loads(text)) - set(shape.members)
        assert not unknown, unknown
    return len(documents)


if __name__ == "__main__":
    found = kubernetes(sys.argv[1]), batch(sys.argv[2])
    assert found == (4, 2), found
    print(f"{found[0]} objects and {found[1]} jobs are as their schemas say")
