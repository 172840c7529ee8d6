"""Attacks the publisher through the store: whoever has the bucket, but not the key."""

import json
import os
import pty
import select
import shutil
import subprocess
import time
from pathlib import Path

from attack import POLICIES, Tools, attack

CHANNEL = "channels/prod.json"

SET = """schema = 1
[set]
name = "acme"
[[policy]]
name = "d"
component = "deny-short-username.wasm"
settings = {{ minimum-length = {least} }}
candidate = {{ component = "deny-short-username.wasm", settings = {{ minimum-length = {least} }}, rollout = 1 }}
"""


class Publisher:
    """A store with a weak set at sequence 1 and its mend at sequence 2, and the machine that published both."""

    def __init__(self, tools: Tools, *least: int):
        self.tools, self.store = tools, tools.folder / "store"
        self.place = f"file://{self.store}#prod"
        tools.run("keygen", "--no-password", code=0)
        self.environment = {
            "COGWIT_STATE": str(tools.folder / "state"),
            "COGWIT_TRUSTED_KEYS": (tools.folder / "cogwit.pub").read_text().splitlines()[1],
        }
        for number in least or (1, 8):
            self.run("publish", self.set(number), self.place, code=0)

    def set(self, least: int) -> Path:
        folder = self.tools.folder / f"set-{least}"
        folder.mkdir(exist_ok=True)
        shutil.copy(POLICIES / "deny-short-username.wasm", folder)
        (folder / "policies.toml").write_text(SET.format(least=least))
        return folder

    def run(self, *arguments, code: int | None = None, **environment: str) -> subprocess.CompletedProcess:
        signs = ("--key", "cogwit.key") if arguments[0] in ("publish", "rollback") else ()
        return self.tools.run(*arguments, *signs, code=code, **self.environment | environment)

    def history(self, sequence: int) -> Path:
        return self.store / "history" / "prod" / f"{sequence:020}.json"

    def objects(self) -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in self.store.rglob("*") if path.is_file() and path.name != ".lock"}

    def refuses(self, reason: str, *arguments, **environment: str) -> None:
        before = self.objects()
        done = self.run(*arguments, code=1, **environment)
        assert reason in done.stderr, done.stderr
        assert self.objects() == before, "something in the store has changed"

    def refuses_all(self, reason: str, **environment: str) -> None:
        """Every command that would sign something on top of the channel."""
        for arguments in (
            ("publish", self.place, "--rollout", "d=25"),
            ("publish", self.place, "--promote", "d"),
            ("publish", self.set(8), self.place),
            ("publish", self.place, self.place.replace("#prod", "#next")),
            ("rollback", self.place),
            ("rollback", self.place, "1"),
        ):
            self.refuses(reason, *arguments, **environment)

    def decides(self) -> int:
        """What becomes of a sign-up with a name of two letters."""
        event = b'{"triggerSource":"PreSignUp_SignUp","userName":"rr","request":{},"response":{}}'
        return self.tools.run("run", "-", "--policies", self.place, stdin=event, **self.environment).returncode


@attack("an older channel that was put back is not signed again")
def older_channel(tools: Tools) -> None:
    publisher = Publisher(tools)
    shutil.copy(publisher.history(1), publisher.store / CHANNEL)
    publisher.refuses_all("the store serves sequence 1, but this machine saw 2")
    assert "this machine saw 2" in publisher.run("status", publisher.place, code=1).stdout
    # Another machine has the history, or a floor.
    other = {"COGWIT_STATE": str(tools.folder / "other")}
    publisher.refuses_all("the store serves sequence 1, but the signed history has 2", **other)
    publisher.history(2).unlink()
    publisher.refuses_all("the store serves sequence 1, but this machine saw 2")
    rollout = ("publish", publisher.place, "--rollout", "d=25")
    publisher.refuses("COGWIT_MIN_SEQUENCE is 2", *rollout, "--expect", "1", COGWIT_MIN_SEQUENCE="2", **other)
    publisher.refuses_all("has not seen the channel before", **other)


@attack("a rollback does not pass over what somebody deleted from the history, moved or replaced there")
def hole(tools: Tools) -> None:
    publisher = Publisher(tools, 1, 8, 9)
    kept = {sequence: publisher.history(sequence).read_bytes() for sequence in (1, 2, 3)}
    reason = "sequence 2, which sequence 3 replaced, is missing from the history, or was changed there"
    publisher.history(2).unlink()
    publisher.refuses(reason, "rollback", publisher.place)
    publisher.history(2).write_bytes(kept[1])
    publisher.refuses(reason, "rollback", publisher.place)
    publisher.history(1).write_bytes(kept[2])
    publisher.refuses(reason, "rollback", publisher.place)
    publisher.history(2).write_bytes(b"[" * 60_000)
    publisher.refuses(reason, "rollback", publisher.place)
    # Copies and junk under higher numbers hide nothing and add nothing.
    for sequence in range(4, 300):
        publisher.history(sequence).write_bytes(kept[1] if sequence % 2 else b"{")
    publisher.history(2).write_bytes(kept[2])
    done = json.loads(publisher.run("rollback", publisher.place, "--format", "json", code=0).stdout)
    assert (done["to"]["sequence"], done["sequence"]) == (2, 4), done
    assert publisher.decides() == 1


@attack("a channel that was removed does not begin again below what was seen")
def removed(tools: Tools) -> None:
    publisher = Publisher(tools)
    shutil.rmtree(publisher.store)
    done = publisher.run("publish", publisher.set(8), publisher.place, code=1)
    assert "the store has no channel, but this machine saw 2" in done.stderr, done.stderr
    assert not (publisher.store / CHANNEL).exists()
    again = publisher.run("publish", publisher.set(8), publisher.place, "--expect", "none", "--format", "json", code=0)
    assert json.loads(again.stdout)["sequence"] == 3, again.stdout


@attack("two payloads of one sequence are a fork, whoever signed them")
def fork(tools: Tools) -> None:
    publisher = Publisher(tools, 1)
    shutil.copytree(publisher.store, tools.folder / "before")
    publisher.run("publish", publisher.set(8), publisher.place, code=0)
    ours = publisher.objects()
    # Another publisher at the same time, at a server that lets both write.
    shutil.rmtree(publisher.store)
    shutil.copytree(tools.folder / "before", publisher.store)
    other = {"COGWIT_STATE": str(tools.folder / "other")}
    publisher.run("publish", publisher.set(2), publisher.place, "--expect", "1", code=0, **other)
    publisher.refuses_all("two different payloads have sequence 2, and this machine saw one of them")
    publisher.run("publish", publisher.set(2), publisher.place, code=0, **other)
    publisher.refuses_all("does not lead back to sequence 2, which this machine saw: sequence 3 replaced another payload")
    publisher.history(9).write_bytes(ours[str(publisher.history(2))])
    publisher.refuses_all("two different payloads have sequence 2, and the signed history has one of them", **other)


@attack("what is forged in the history is not believed")
def forged(tools: Tools) -> None:
    publisher = Publisher(tools)
    tools.run("keygen", "--no-password", "--out", "theirs", code=0)
    theirs = f"file://{tools.folder}/theirs#prod"
    trusts = {"COGWIT_TRUSTED_KEYS": (tools.folder / "theirs.pub").read_text().splitlines()[1], "COGWIT_STATE": "off"}
    for sequence in (3, 4):
        tools.run("publish", publisher.set(1), theirs, "--key", "theirs.key", "--force", code=0, COGWIT_MIN_SEQUENCE="3", **trusts)
        found = tools.folder / "theirs" / "history" / "prod" / publisher.history(sequence).name
        shutil.copy(found, publisher.history(sequence))
    assert "no release of sequence 3" in publisher.run("rollback", publisher.place, "3", code=4).stderr
    changed = publisher.history(1).read_text().replace('\\"sequence\\":1', '\\"sequence\\":7')
    publisher.history(7).write_text(changed)
    done = json.loads(publisher.run("publish", publisher.set(8), publisher.place, "--format", "json", code=0).stdout)
    assert done["sequence"] == 3, done


@attack("a machine that has not seen the channel signs only what a person confirms, or `--expect` names")
def new_machine(tools: Tools) -> None:
    publisher = Publisher(tools)
    environment = publisher.environment | {"COGWIT_STATE": str(tools.folder / "other")}
    command = [tools.cogwit, "publish", publisher.place, "--rollout", "d=25", "--key", "cogwit.key"]
    before = publisher.objects()
    for answer, code in ((b"n\n", 1), (b"\n", 1), (b"\x04", 1), (b"y\n", 0)):
        assert publisher.objects() == before
        said, ended = on_terminal(command, answer, tools.folder, environment)
        assert ended == code, (answer, said)
        for shown in ("serves sequence 2 of the set `acme`, release ", ", issued ", "signed by the key ", "[y/N]"):
            assert shown in said, said
    # Now it is known.
    tools.run(*command[1:], code=0, **environment)


def on_terminal(command: list, answer: bytes, folder: Path, environment: dict[str, str]) -> tuple[str, int]:
    """Runs a command on a terminal, answers its question, and gives what it said and its exit code."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=os.environ | environment, start_new_session=True
    )
    os.close(theirs)
    said, answered, until = b"", False, time.monotonic() + 60
    try:
        while time.monotonic() < until:
            if not select.select([ours], [], [], 0.2)[0]:
                continue
            try:
                part = os.read(ours, 4096)
            except OSError:
                break
            if not part:
                break
            said += part
            if b"[y/N]" in said and not answered:
                os.write(ours, answer)
                answered = True
        return said.decode(errors="replace"), process.wait(10)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


@attack("publishers on one machine do not lower what it remembers")
def at_once(tools: Tools) -> None:
    publisher = Publisher(tools)
    command = [tools.cogwit, "publish", publisher.set(8), publisher.place, "--key", "cogwit.key"]
    environment = os.environ | publisher.environment
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    for _ in range(3):
        both = [subprocess.Popen(command, cwd=tools.folder, env=environment, **quiet) for _ in range(2)]
        codes = sorted(process.wait() for process in both)
        assert codes in ([0, 0], [0, 1]), codes
        served = json.loads(json.loads((publisher.store / CHANNEL).read_text())["payload"])["sequence"]
        kept = [json.loads(path.read_text()) for path in (tools.folder / "state").glob("*.json")]
        assert [it["newest"]["sequence"] for it in kept] == [served], (kept, served)


@attack("what a machine remembers is read, or nothing is signed")
def broken_state(tools: Tools) -> None:
    publisher = Publisher(tools)
    (kept,) = (tools.folder / "state").glob("*.json")
    text = kept.read_bytes()
    for broken in (b"", b"{", b"null", text.replace(b'"prod"', b'"next"'), b"[" * 100_000):
        kept.write_bytes(broken)
        done = publisher.run("publish", publisher.set(8), publisher.place, code=4)
        assert "cannot read what this machine saw" in done.stderr, done.stderr
    kept.unlink()
    kept.mkdir()
    publisher.run("publish", publisher.set(8), publisher.place, code=4)
