"""The live page: a small server on this machine that shows runs while they train, and replays them afterwards.

It only reads the folders of runs, so a training does not know of it, and it survives the training's end. The one thing
it writes is the file RUN/stop, for who has the token in the printed address.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from zerosum.data.files import write_text
from zerosum.errors import InputError, RunError
from zerosum.report.guard import Guard
from zerosum.report.page import environment, finite
from zerosum.report.watched import Board, find_runs, inside
from zerosum.training.presence import STOP, at_work

PORT = 8765
LOOKS, BEATS = 0.4, 10.0  # seconds between looks at the folders; between signs of life where nothing is new
PATIENCE = 60.0  # seconds that a page that belongs to a training stays when both it and its watchers are gone
TOKEN_HEADER = "x-zerosum-token"
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
}
REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"


def page() -> tuple[str, str]:
    """The page, and the content security policy that allows its own script and style and nothing else."""
    found = environment()
    script, style = (
        found.get_template(f"live.{kind}.j2").render().replace("</", "<\\/")
        if kind == "js"
        else found.get_template(f"live.{kind}.j2").render()
        for kind in ("js", "css")
    )
    html = found.get_template("live.html.j2").render(script=script, style=style)
    policy = (
        f"default-src 'none'; connect-src 'self'; img-src data:; script-src {_hash(script)}; "
        f"style-src {_hash(style)}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return html, policy


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def make_app(root: Path, token: str, *, watchers: set[object] | None = None) -> Guard:
    """The application that answers.

    Args:
        root: A run, or a folder of runs.
        token: Who sends it may stop a training.
        watchers: Holds one entry for each open page.
    """
    _need_libraries()
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.requests import Request
    from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
    from starlette.routing import Route

    html, policy = page()
    watchers = set() if watchers is None else watchers

    def folder_of(request: Request) -> Path:
        folder = find_runs(root).get(request.path_params["run"])
        if folder is None:
            raise HTTPException(404, "there is no such run\n")
        return folder

    def content(request: Request, name: str, mime: str, policy: str = "default-src 'none'") -> Response:
        found = inside(folder_of(request), name)
        if found is None:
            raise HTTPException(404, "there is no such file\n")
        return Response(found, media_type=mime, headers={"content-security-policy": policy})

    async def index(_: Request) -> Response:
        return HTMLResponse(html, headers={"content-security-policy": policy})

    async def events(_: Request) -> Response:
        return StreamingResponse(stream(root, watchers), media_type="text/event-stream")

    async def snapshot(request: Request) -> Response:
        name = f"snapshots/step-{request.path_params['step']}.safetensors"
        return content(request, name, "application/octet-stream")

    async def reference(request: Request) -> Response:
        return content(request, "snapshots/reference.safetensors", "application/octet-stream")

    async def report(request: Request) -> Response:
        return content(request, "report.html", "text/html", REPORT_POLICY)

    async def stop(request: Request) -> Response:
        if not hmac.compare_digest(request.headers.get(TOKEN_HEADER, "").encode(), token.encode()):
            raise HTTPException(403, "stopping needs the token in the address that the terminal printed\n")
        folder = folder_of(request)
        if not at_work(folder):
            raise HTTPException(409, "no training is at work in this run\n")
        write_text(folder / STOP, "asked for by the live page\n")
        return PlainTextResponse("the training stops and saves at its next record\n", 202)

    async def failed(_: Request, error: Exception) -> Response:
        known = isinstance(error, HTTPException)
        detail, status = (error.detail, error.status_code) if known else ("something went wrong\n", 500)  # type: ignore[attr-defined]
        return PlainTextResponse(detail, status, headers={"content-security-policy": "default-src 'none'"})

    routes = [
        Route("/", index),
        Route("/events", events),
        Route("/runs/{run}/snapshots/{step:int}", snapshot),
        Route("/runs/{run}/reference", reference),
        Route("/runs/{run}/report", report),
        Route("/runs/{run}/stop", stop, methods=["POST"]),
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: failed})
    return Guard(app, HEADERS)


async def stream(root: Path, watchers: set[object]) -> AsyncIterator[str]:
    """Server-sent events: first everything, then what is new."""
    board, me, silent = Board(root), object(), 0.0
    watchers.add(me)
    try:
        yield "retry: 1000\n\n"
        while True:
            told = False
            for name, content in board.news():
                told = True
                yield f"event: {name}\ndata: {json.dumps(finite(content), allow_nan=False)}\n\n"
            if silent == 0.0 or (silent >= BEATS and not told):
                yield "event: beat\ndata: {}\n\n"
            silent = LOOKS if told or silent >= BEATS else silent + LOOKS
            await asyncio.sleep(LOOKS)
    finally:
        watchers.discard(me)


def server_of(app: Guard) -> Any:
    """Uvicorn's server for it: small requests, few at once, no websockets."""
    import uvicorn

    config = uvicorn.Config(
        app, http="h11", ws="none", lifespan="off", log_level="critical", access_log=False, server_header=False,
        limit_concurrency=100, timeout_keep_alive=5, timeout_graceful_shutdown=1, h11_max_incomplete_event_size=16_384,
    )  # fmt: skip
    return uvicorn.Server(config)


def _need_libraries() -> None:
    if not all(map(find_spec, ("starlette", "uvicorn"))):
        raise InputError("the live page needs starlette and uvicorn; pip install 'zerosum[watch]'.")


def listen(port: int | None) -> socket.socket:
    """A socket that listens on the loopback interface: at this port, or at the usual or any free one where None.

    Who opens the address at once waits for the server instead of being refused.
    """
    for number in (PORT, 0) if port is None else (port,):
        found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind(("127.0.0.1", number))
            found.listen()  # two sockets can be bound to one port until one of them listens
        except OSError as error:
            found.close()
            if number and port is None:
                continue
            raise RunError(
                f"port {number} of this machine cannot be used ({error.strerror}); choose another with --port."
            ) from None
        return found
    raise RunError("no port of this machine can be used.")


def serve(
    root: str | Path, *, port: int | None = None, say: Callable[[str], None], follow: int | None = None
) -> None:
    """Serve the live page until Ctrl-C.

    Args:
        root: A run, or a folder of runs.
        port: The port on 127.0.0.1; by default 8765, or any free one where that is taken.
        say: Told the address, with the token that stopping needs.
        follow: A process; some time after it has ended and nobody watches any more, the server ends too.
    """
    root = Path(root)
    if not root.is_dir():
        raise InputError(
            f"there is no folder {root}; give a run that zerosum train wrote, or a folder of runs."
        )
    token, watchers = secrets.token_urlsafe(16), set[object]()
    server = server_of(make_app(root, token, watchers=watchers))
    with listen(port) as bound:
        say(f"http://127.0.0.1:{bound.getsockname()[1]}/#{token}")
        asyncio.run(_until_the_end(server, bound, watchers, follow))


def serve_beside(root: str | Path) -> str:
    """Serve the live page in a process of its own, so that it costs this one nothing; returns its address.

    The page outlives this process for as long as it is watched.
    """
    arguments = [sys.executable, "-m", "zerosum", "watch", str(root), "--follow", str(os.getpid())]
    server = subprocess.Popen(
        arguments,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    if server.stdout is None or server.stderr is None:
        raise RunError("the live page did not start.")
    address = server.stdout.readline().decode().strip()
    if not address:
        raise RunError(f"the live page did not start: {server.stderr.read().decode().strip()}")
    return address


async def _until_the_end(
    server: Any, bound: socket.socket, watchers: set[object], follow: int | None
) -> None:
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    alone = 0.0
    while not serving.done():
        await asyncio.wait([serving], timeout=1.0)
        busy = follow is None or watchers or _alive(follow)
        alone = 0.0 if busy else alone + 1.0
        if alone >= PATIENCE:
            server.should_exit = True
    await serving


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
