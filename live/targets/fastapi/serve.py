"""Starts the server as its command line would, on the socket that the parent has bound.

Standard input is the listening socket, standard output a socket to the parent: when that
closes, however the parent ended, every process of this group ends.
"""

import os
import signal
import socket
import sys
import threading

from plan import Plan, plan

FOREVER = 10**9
"""Seconds after which an idle connection is closed that never is."""


def watch(parent: socket.socket) -> None:
    """Ends the whole process group when the parent asks for it or has ended."""
    for line in parent.makefile("rb"):
        if line.strip() == b'"stop"':
            break
    os.killpg(0, signal.SIGKILL)


def server_options(plan: Plan) -> dict[str, object]:
    """Options that uvicorn has under its own server and under gunicorn's."""
    return {
        "loop": plan.event_loop,
        "http": "httptools",
        "timeout_keep_alive": FOREVER if plan.keep_alive is None else plan.keep_alive,
        "limit_concurrency": plan.limit_concurrency,
    }


def uvicorn(plan: Plan, listener: socket.socket) -> None:
    """`uvicorn app:app --workers N`."""
    from uvicorn import Config, Server
    from uvicorn.supervisors import Multiprocess

    options = server_options(plan)
    config = Config(
        "app:app",
        workers=plan.workers,
        backlog=plan.backlog,
        limit_max_requests=plan.max_requests,
        limit_max_requests_jitter=plan.max_requests_jitter,
        **options,
    )
    if plan.workers == 1:
        Server(config).run([listener])
    else:
        Multiprocess(config, sockets=[listener]).run()


def gunicorn(plan: Plan, listener: socket.socket) -> None:
    """`gunicorn -k uvicorn_worker.UvicornWorker -w N app:app`."""
    from gunicorn.app.wsgiapp import WSGIApplication

    sys.argv = [
        "gunicorn",
        "--worker-class=gunicorn_worker.Worker",
        f"--workers={plan.workers}",
        f"--bind=fd://{listener.fileno()}",
        f"--backlog={plan.backlog}",
        f"--timeout={plan.worker_timeout}",
        f"--max-requests={plan.max_requests or 0}",
        f"--max-requests-jitter={plan.max_requests_jitter}",
        "app:app",
    ]
    WSGIApplication().run()


def main() -> None:
    """Serves until the parent ends it."""
    parent = socket.socket(fileno=os.dup(1))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    listener = socket.socket(fileno=os.dup(0))
    os.sched_setaffinity(0, plan().cpus)
    threading.Thread(target=watch, args=(parent,), daemon=True).start()
    servers = {"uvicorn": uvicorn, "gunicorn": gunicorn}
    servers[plan().server](plan(), listener)


if __name__ == "__main__":
    main()
