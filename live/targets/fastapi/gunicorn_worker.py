"""gunicorn's worker with the plan's options."""

from uvicorn_worker import UvicornWorker

from plan import plan
from serve import server_options


class Worker(UvicornWorker):
    """`uvicorn_worker.UvicornWorker`, which takes uvicorn's options from its class alone."""

    CONFIG_KWARGS = server_options(plan())
