"""Runs the Lambda host on cargo-lambda, with a channel to follow."""

import http.client
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from peers import free_port, start

EVENT = json.dumps({"triggerSource": "PreSignUp_SignUp", "userName": "", "request": {}, "response": {}}).encode()


class Emulator:
    """cargo-lambda, which hands events to whichever host asks it."""

    def __init__(self, folder: Path):
        self.port = free_port()
        project = folder / "project"
        (project / "src").mkdir(parents=True)
        (project / "src" / "main.rs").write_text("fn main() {}\n")
        (project / "Cargo.toml").write_text('[package]\nname = "cogwit"\nversion = "0.0.0"\nedition = "2024"\n\n[workspace]\n')
        program = Path(sys.executable).parent / "cargo-lambda"
        watch = [program, "lambda", "watch", "--only-lambda-apis", "-A", "127.0.0.1", "-P", str(self.port)]
        start(watch, folder / "cargo-lambda.log", self.port, cwd=project)


class Host:
    """The Lambda host, as long as the `with` lasts."""

    def __init__(self, emulator: Emulator, bootstrap: Path, folder: Path, environment: dict[str, str]):
        function = {
            "AWS_LAMBDA_RUNTIME_API": f"http://127.0.0.1:{emulator.port}/.rt/cogwit",
            "AWS_LAMBDA_FUNCTION_NAME": "cogwit",
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        }
        environment = {"LAMBDA_TASK_ROOT": str(folder)} | environment
        self.port = emulator.port
        self.log = folder / f"bootstrap-{time.monotonic_ns()}.log"
        self.out = self.log.open("wb")
        self.process = subprocess.Popen(
            [bootstrap], env=environment | function, cwd=folder, stdin=subprocess.DEVNULL, stdout=self.out, stderr=self.out
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.out.close()

    def said(self) -> str:
        """What the host told a user without a name."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request("POST", "/2015-03-31/functions/cogwit/invocations", EVENT)
        return json.loads(connection.getresponse().read())["errorMessage"]

    def mark(self) -> int:
        """The mark of the set that decided."""
        said = self.said()
        assert said.startswith("Cannot register users"), said
        return int(said.rpartition(" ")[2])

    def until(self, mark: int, patience: float) -> float:
        """Decides until the set with this mark does, and says how long that took."""
        since = time.monotonic()
        while self.mark() != mark:
            assert time.monotonic() - since < patience, f"{mark} does not serve after {patience} s"
            time.sleep(0.02)
        return time.monotonic() - since

    def lines(self) -> list[str]:
        return self.log.read_text().splitlines()

    def record(self) -> dict:
        """The last record."""
        return json.loads([line for line in self.lines() if line.startswith("{")][-1])

    def problem(self, patience: float = 15) -> str:
        """Why the store is not followed, as the next records tell."""
        since = time.monotonic()
        while True:
            self.said()
            problem = self.record()["set"].get("problem")
            if problem:
                return problem
            assert time.monotonic() - since < patience, "no problem is told"
            time.sleep(0.05)
