"""The guard of the live page: small requests, from this machine, for this machine."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

HOSTS = {"127.0.0.1", "localhost", "::1"}
LONGEST_TARGET, LARGEST_BODY = 1024, 1024  # bytes


class Guard:
    """Refuses what no page of this server would send, before anything else sees it.

    A strange Host header is how another site reaches a server on this machine through the browser (DNS rebinding); a
    strange Origin is how it writes. Ports are not compared: they differ behind an SSH tunnel.

    Args:
        app: What answers the requests that are allowed.
        headers: Sent with each answer.
    """

    def __init__(self, app: Any, headers: dict[str, str]) -> None:
        self.app, self.headers = app, [(k.encode(), v.encode()) for k, v in headers.items()]

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        refused = refusal(scope)
        if refused:
            await self._answer(send, *refused)
            return

        async def adorned(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(h for h in self.headers if h[0] not in given)]
            await send(message)

        await self.app(scope, receive, adorned)

    async def _answer(self, send: Send, status: int, sentence: str) -> None:
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close"), *self.headers]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": sentence.encode()})


def refusal(scope: Message) -> tuple[int, str] | None:
    """The status and the sentence with which a request is refused; None where it is allowed."""
    headers: dict[bytes, list[bytes]] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name.lower(), []).append(value)
    hosts = headers.get(b"host", [])
    if len(hosts) != 1 or hostname(f"//{hosts[0].decode('latin-1')}") not in HOSTS:
        return 421, "this page is served to this machine only, as 127.0.0.1 or localhost\n"
    if any(hostname(origin.decode("latin-1")) not in HOSTS for origin in headers.get(b"origin", [])):
        return 403, "requests from other pages are refused\n"
    if len(scope.get("raw_path") or b"") + len(scope.get("query_string") or b"") > LONGEST_TARGET:
        return 414, "the address is too long\n"
    if b"transfer-encoding" in headers or _length(headers) > LARGEST_BODY:
        return 413, "the request is too large\n"
    return None


def hostname(address: str) -> str | None:
    """The name of the host in an address, in lower case; None where there is none or it is malformed."""
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018  a port that is no number is an error only when it is asked for
    except ValueError:
        return None
    return None if parts.username is not None or parts.path not in ("", "/") else parts.hostname


def _length(headers: dict[bytes, list[bytes]]) -> int:
    try:
        return max([int(length) for length in headers.get(b"content-length", [])], default=0)
    except ValueError:
        return LARGEST_BODY + 1
