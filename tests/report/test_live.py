"""The live page tells what the runs write, to this machine only, and stops a training for who has the token."""

import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from zerosum.errors import InputError, RunError
from zerosum.report.watched import Board, find_runs
from zerosum.training.presence import at_work, locked

pytest.importorskip("starlette", reason="the live page needs starlette")
pytest.importorskip("uvicorn", reason="the live page needs uvicorn")

from zerosum.report import live

TOKEN = "a-token"
FIRST = {"step": 10, "value": -1.2, "warnings": ["<img src=x> the discriminator wins"]}


def make_run(folder: Path, steps: int = 20) -> Path:
    """A folder as a run leaves it, half way."""
    (folder / "snapshots").mkdir(parents=True)
    (folder / "config.yaml").write_text(f"model: gan\nsteps: {steps}\nsecret: hidden\n")
    (folder / "history.jsonl").write_text(json.dumps(FIRST) + "\n")
    (folder / "timing.jsonl").write_text('{"step": 10, "seconds": 0.5}\n')
    (folder / "snapshots" / "step-10.safetensors").write_bytes(b"ten")
    (folder / "snapshots" / "reference.safetensors").write_bytes(b"real")
    return folder


def append(run: Path, record: dict[str, Any], end: str = "\n") -> None:
    with (run / "history.jsonl").open("a") as file:
        file.write(json.dumps(record) + end)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "outside.txt").write_text("outside")
    for name in ("first", "second"):
        make_run(tmp_path / "runs" / name)
    return tmp_path / "runs"


@pytest.fixture
def port(root: Path) -> Iterator[int]:
    server = live.server_of(live.make_app(root, TOKEN))
    with live.listen(None) as bound:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.005)
        yield bound.getsockname()[1]
        server.should_exit = True
        thread.join(10)


def ask(
    port: int, path: str, method: str = "GET", body: bytes = b"", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        link.request(method, path, body or None, {name.replace("_", "-"): v for name, v in headers.items()})
        answer = link.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        link.close()


def key_of(root: Path, name: str) -> str:
    return next(key for key, folder in find_runs(root).items() if folder.name == name)


def test_the_page_allows_itself_and_nothing_else(port: int) -> None:
    status, headers, body = ask(port, "/")
    policy = headers["content-security-policy"]
    assert (status, b"<title>zerosum live</title>" in body) == (200, True)
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert b"http://" not in body.replace(b"http://www.w3.org/2000/svg", b"")
    assert b"https://" not in body
    assert TOKEN.encode() not in body


def test_it_listens_on_the_loopback_interface_only() -> None:
    with live.listen(None) as bound:
        assert bound.getsockname()[0] == "127.0.0.1"
        with pytest.raises(RunError, match="choose another with --port"):
            live.listen(bound.getsockname()[1])


def test_a_port_that_another_page_has_is_left_to_it() -> None:
    with live.listen(None) as first, live.listen(None) as second:
        assert first.getsockname()[1] != second.getsockname()[1]


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost@evil.example", "", "0.0.0.0"],
)
def test_a_strange_host_is_refused(port: int, host: str) -> None:
    assert ask(port, "/", Host=host)[0] == 421


@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost", "LOCALHOST:8765", "[::1]:8765"])
def test_this_machine_by_any_name_and_tunnel_is_served(port: int, host: str) -> None:
    assert ask(port, "/", Host=host)[0] == 200


def test_a_page_of_another_site_may_not_write(port: int, root: Path) -> None:
    path = f"/runs/{key_of(root, 'first')}/stop"
    for origin in ("https://evil.example", "null"):
        assert ask(port, path, "POST", Origin=origin, X_Zerosum_Token=TOKEN)[0] == 403


FORBIDDEN = [
    "/../outside.txt",
    "/runs/../../outside.txt",
    "/runs/%2e%2e/reference",
    "/runs/{key}/config.yaml",
    "/runs/first/reference",
    "/runs/{key}/snapshots/../../config.yaml",
    "/runs/{key}/snapshots/..%2f..%2fconfig",
    "/runs/{key}/snapshots/10/..",
    "/runs/{key}/..%2freference",
    "/runs/{key}%00/reference",
    "/runs/{key}/snapshots/-1",
    "/runs/{key}/snapshots/11",
]


@pytest.mark.parametrize("path", FORBIDDEN)
def test_only_the_files_of_a_run_are_served(port: int, root: Path, path: str) -> None:
    status, _, body = ask(port, path.format(key=key_of(root, "first")))
    assert status == 404
    assert b"outside" not in body
    assert b"hidden" not in body


def test_links_that_lead_outside_are_not_followed(port: int, root: Path) -> None:
    reference = root / "first" / "snapshots" / "reference.safetensors"
    assert ask(port, f"/runs/{key_of(root, 'first')}/reference")[2] == b"real"
    reference.unlink()
    reference.symlink_to(root.parent / "outside.txt")
    assert ask(port, f"/runs/{key_of(root, 'first')}/reference")[0] == 404
    make_run(root.parent / "elsewhere")
    (root / "third").symlink_to(root.parent / "elsewhere")
    assert sorted(folder.name for folder in find_runs(root).values()) == ["first", "second"]


def test_oversized_requests_are_refused(port: int, root: Path) -> None:
    path = f"/runs/{key_of(root, 'first')}/stop"
    for attempt in range(5):  # a server that hangs up on what it does not read may be heard as a reset
        with contextlib.suppress(ConnectionResetError):
            assert ask(port, path, "POST", b"x" * 2000, X_Zerosum_Token=TOKEN)[0] == 413
            break
        assert attempt < 4
    assert ask(port, path, "POST", Transfer_Encoding="chunked", X_Zerosum_Token=TOKEN)[0] == 413
    assert ask(port, "/?" + "x" * 2000)[0] == 414
    with socket.create_connection(("127.0.0.1", port), timeout=10) as link:
        link.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 100_000)
        assert b" 400 " in link.recv(100)


def test_stopping_needs_the_token_and_a_training(port: int, root: Path) -> None:
    run, path = root / "first", f"/runs/{key_of(root, 'first')}/stop"
    with locked(run):
        for token in ("", "another", TOKEN + "x"):
            assert ask(port, path, "POST", X_Zerosum_Token=token)[0] == 403
        assert ask(port, path, X_Zerosum_Token=TOKEN)[0] == 405
        assert not (run / "stop").exists()
        assert ask(port, path, "POST", X_Zerosum_Token=TOKEN)[0] == 202
        assert (run / "stop").is_file()
    assert not (root / "second" / "stop").exists()
    assert ask(port, f"/runs/{key_of(root, 'second')}/stop", "POST", X_Zerosum_Token=TOKEN)[0] == 409


def test_records_are_streamed_as_they_are_written(port: int, root: Path) -> None:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    link.request("GET", "/events")
    answer = link.getresponse()
    assert answer.getheader("content-type", "").startswith("text/event-stream")

    def event() -> dict[str, Any]:
        while not (line := answer.readline()).startswith(b"event: run"):
            assert line, "the stream ended"
        return json.loads(answer.readline().removeprefix(b"data: "))  # type: ignore[no-any-return]

    told = {found["state"]["name"]: found for found in (event(), event())}
    assert sorted(told) == ["first", "second"]
    assert told["first"]["records"] == [FIRST]
    assert told["first"]["times"] == [[10, 0.5]]
    assert told["first"]["state"]["config"]["steps"] == 20
    assert "secret" not in told["first"]["state"]["config"]
    append(root / "second", {"step": 20, "value": float("nan")})
    more = event()
    assert (more["state"]["name"], more["records"]) == ("second", [{"step": 20, "value": None}])
    assert more["state"]["state"] == "finished"
    link.close()


def states(board: Board) -> dict[str, str]:
    return {news["state"]["name"]: news["state"]["state"] for kind, news in board.news() if kind == "run"}


def test_the_state_is_that_of_the_folder(root: Path) -> None:
    board, run = Board(root), root / "first"
    assert states(board) == {"first": "stopped", "second": "stopped"}
    with locked(run):
        assert at_work(run)
        assert states(board) == {"first": "training"}
        (run / "stop").touch()
        assert states(board) == {"first": "stopping"}
    (run / "stop").unlink()
    assert states(board) == {"first": "stopped"}
    append(run, {"step": 15, "stopped": "nothing improves"})
    assert states(board) == {"first": "finished"}
    assert states(board) == {}


def test_half_lines_wait_and_a_history_that_begins_anew_is_told_anew(root: Path) -> None:
    board, run = Board(root / "first"), root / "first"
    list(board.news())
    append(run, {"step": 20}, end="")
    assert not list(board.news())
    append(run, {"step": 30}, end="\n")  # makes the line one that is no JSON
    append(run, {"step": 40})
    [(_, news)] = board.news()
    assert [record["step"] for record in news["records"]] == [40]
    (run / "history.jsonl").write_text('{"step": 10}\n')
    [(_, news)] = board.news()
    assert (news["anew"], news["records"]) == (True, [{"step": 10}])


def test_runs_that_come_and_go(root: Path) -> None:
    board = Board(root)
    assert len(states(board)) == 2
    make_run(root / "deeper" / "third")
    assert states(board) == {"deeper/third": "stopped"}
    (root / "second" / "config.yaml").unlink()
    assert [kind for kind, _ in board.news()] == ["gone"]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no folder"):
        live.serve(tmp_path / "nothing", say=print)
