"""Runs `cogwit serve`."""

import http.client
import itertools
import json
import os
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

NUMBERS = itertools.count(1)
COUNT = "cogwit_decisions_total{"


class Server:
    """The server, as long as the `with` lasts."""

    def __init__(self, cogwit: Path, folder: Path, *arguments: str, listen: str = "127.0.0.1:0", format: str = "json", **environment: str):
        number = next(NUMBERS)
        self.log, self.out = folder / f"serve-{number}.log", folder / f"serve-{number}-records.log"
        command = [cogwit, "serve", "--listen", listen, "--format", format, *arguments]
        with self.log.open("wb") as log, self.out.open("wb") as out:
            self.process = subprocess.Popen(
                command, env=os.environ | environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=log
            )
        self.port = int(self.said("listening on http://127.0.0.1:").rpartition(":")[2])
        self.endpoint = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def said(self, start: str, patience: float = 20) -> str:
        """The line of standard error that starts with this."""
        until = time.monotonic() + patience
        while True:
            for line in self.log.read_text().splitlines(keepends=True):
                if line.startswith(start) and line.endswith("\n"):
                    return line.strip()
            assert self.process.poll() is None and time.monotonic() < until, self.log.read_text()
            time.sleep(0.02)

    def end(self) -> int:
        """Asks it to end, and gives its exit code."""
        self.process.terminate()
        return self.process.wait(20)

    def records(self) -> list[dict]:
        """Every record so far. An answer is not held up by its record, so of what is decided by now the last may still come."""
        decided = self.decided() if self.process.poll() is None else 0
        until = time.monotonic() + 5
        while True:
            lines = self.out.read_text().splitlines(keepends=True)
            records = [json.loads(line) for line in lines if line.endswith("\n")]
            if len(records) >= decided or time.monotonic() > until:
                return records
            time.sleep(0.02)

    def decided(self) -> int:
        """How many events it decided, by its own count."""
        counts = [line for line in self.get("/metrics")[2].splitlines() if line.startswith(COUNT)]
        return sum(int(line.rpartition(" ")[2]) for line in counts)

    @contextmanager
    def writes(self, count: int):
        """Holds it to so many records in the meantime, and gives them once the `with` is over."""
        before, written = len(self.records()), []
        yield written
        until = time.monotonic() + 5
        while len(self.records()) < before + count and time.monotonic() < until:
            time.sleep(0.02)
        written += self.records()[before:]
        told = [(record["function"], record["source"], record["decision"]) for record in written]
        assert len(told) == count, f"{len(told)} records in place of {count}: {told}"

    def get(self, path: str, **headers: str) -> tuple[int, str, str]:
        """The status, the type and the text at a path."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request("GET", path, headers=headers)
        reply = connection.getresponse()
        return reply.status, reply.headers["Content-Type"], reply.read().decode()
