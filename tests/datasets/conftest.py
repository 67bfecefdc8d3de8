"""Fixture `mirror`: HTTP servers on this machine that stand for mirrors, good and broken."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@pytest.fixture
def mirror(monkeypatch) -> Callable[..., AbstractContextManager[str]]:
    """`with mirror(files, fault) as address`: a server that runs inside the block."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return serve


@contextmanager
def serve(files: Mapping[str, bytes], fault: str = "") -> Iterator[str]:
    """Serve `files` and yield the address; `fault` is "breaks off", "stalls" or "corrupts"."""
    release = threading.Event()
    half = fault in ("breaks off", "stalls")

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            content = files.get(self.path.lstrip("/"))
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()

        def do_GET(self) -> None:
            self.do_HEAD()
            content = files.get(self.path.lstrip("/"), b"")
            if fault == "corrupts":
                content = content[:-1] + bytes([content[-1] ^ 1])
            self.wfile.write(content[: len(content) // 2] if half else content)
            if fault == "stalls":
                release.wait(10)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            release.set()
            server.shutdown()
            thread.join()
