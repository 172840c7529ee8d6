"""Publishes, serves, swaps and goes back on every S3 server, in fair weather and foul. `run` starts it."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import peers
import s3
from host import Emulator, Host
from peers import step
from proxy import BROKEN

ROOT = Path(__file__).parents[3]
CHANNEL = f"s3://{s3.BUCKET}/login#prod"
INTERVAL = 0.5


@dataclass
class Shop:
    """One server, and all that is needed to ship through it."""

    store: s3.S3
    emulator: Emulator
    cogwit: Path
    bootstrap: Path
    folder: Path
    key: str

    def run(self, *arguments: str, code: int = 0, **environment: str) -> dict:
        """Runs the command, and gives what it says as JSON."""
        command = [self.cogwit, *arguments, "--format", "json"]
        environment = self.store.environment(
            **{"COGWIT_TRUSTED_KEYS": self.key, "COGWIT_STATE": str(self.folder / "state")} | environment
        )
        done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=self.folder)
        assert done.returncode == code, (arguments, done)
        return json.loads(done.stdout) if done.stdout else {"error": done.stderr}

    def publish(self, mark: int, channel: str = CHANNEL) -> dict:
        """Publishes a set that names its mark in every denial."""
        policies = self.folder / f"policies-{mark}"
        policies.mkdir(exist_ok=True)
        for name in ("auto-confirm-domain.wasm", "deny-short-username.wasm"):
            shutil.copy(ROOT / "policies-wasm" / name, policies)
        (policies / "policies.toml").write_text(
            'schema = 1\n[set]\nname = "login"\n'
            '[[policy]]\nname = "confirm"\ncomponent = "auto-confirm-domain.wasm"\n'
            'settings = { domains = "example.com" }\n'
            f'[[policy]]\nname = "short"\ncomponent = "deny-short-username.wasm"\nsettings = {{ minimum-length = {mark} }}\n'
        )
        return self.run("publish", str(policies), channel, "--key", "cogwit.key", "--native", "x86_64-unknown-linux-gnu")

    def signed_by_a_stranger(self, good: bytes) -> bytes:
        """A channel of somebody else's, with the name of ours."""
        subprocess.run([self.cogwit, "keygen", "--no-password", "--out", "other"], cwd=self.folder, check=True, capture_output=True)
        key = (self.folder / "other.pub").read_text().splitlines()[1]
        command = ["publish", str(self.folder / "policies-11"), f"file://{self.folder}/other#prod", "--key", "other.key"]
        self.run(*command, COGWIT_TRUSTED_KEYS=key)
        return (self.folder / "other" / "channels" / "prod.json").read_bytes()

    def host(self, **environment: str) -> Host:
        host = {
            "COGWIT_POLICIES": CHANNEL,
            "COGWIT_TRUSTED_KEYS": self.key,
            "COGWIT_REFRESH": f"{INTERVAL * 1000:.0f} ms",
            "COGWIT_CACHE": str(self.folder / "cache"),
        }
        return Host(self.emulator, self.bootstrap, self.folder, self.store.environment(**host | environment))


def main(cogwit: Path, bootstrap: Path) -> int:
    since = time.monotonic()
    peers.adopt_orphans()
    # Nothing of whoever runs this: no account, no endpoint, no setting of a host.
    for name in [name for name in os.environ if name.startswith(("AWS_", "COGWIT_"))]:
        del os.environ[name]
    os.environ |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    with tempfile.TemporaryDirectory(prefix="cogwit-stores-") as top:
        try:
            emulator = Emulator(Path(top))
            for server in (s3.ministack, s3.moto):
                folder = Path(top) / server.__name__
                folder.mkdir()
                with suppress(peers.Stop):
                    trials(server, emulator, cogwit, bootstrap, folder)
            if peers.failed:
                peers.show_logs(Path(top))
                for folder in Path(top).iterdir():
                    peers.show_logs(folder)
        finally:
            peers.end_all()
    return peers.close(since)


def trials(server, emulator: Emulator, cogwit: Path, bootstrap: Path, folder: Path) -> None:
    print(f"== {server.__name__}: publish, serve, swap, go back")
    with step("the server starts, and knows a user", needed=True):
        store = server(folder)
    with step("a key is made", needed=True):
        subprocess.run([cogwit, "keygen", "--no-password"], cwd=folder, check=True, capture_output=True)
        key = (folder / "cogwit.pub").read_text().splitlines()[1]
    shop = Shop(store, emulator, cogwit, bootstrap, folder, key)
    with step("a set is published, and its status says so", needed=True):
        published = shop.publish(11)
        status = shop.run("status", CHANNEL)
        assert published["sequence"] == status["sequence"] == 1, (published, status)
    with shop.host() as host:
        with step("the host serves it, by its machine code", needed=True):
            assert host.until(11, 10) < 10
            assert not any("warning" in line for line in host.lines()), host.lines()
            assert host.record()["set"]["sequence"] == 1, host.record()
        swapping(shop, host)
        weather(shop, host)
        attacks(shop, host)
    without(shop)


def swapping(shop: Shop, host: Host) -> None:
    with step("another set is published, and decides after the next refresh"):
        shop.publish(12)
        print(f"        after {host.until(12, 10):.2f} s, asked every {INTERVAL} s")
    with step("one command goes back, within one refresh"):
        back = shop.run("rollback", CHANNEL, "--key", "cogwit.key")
        assert back["sequence"] == 3, back
        print(f"        after {host.until(11, 10):.2f} s")
    with step("history and differences are told"):
        history = shop.run("history", CHANNEL)
        assert [entry["sequence"] for entry in history["entries"]] == [3, 2, 1], history
        assert shop.run("diff", CHANNEL, str(shop.folder / "policies-12"), code=1), "no difference"
    with step("a poll that finds nothing new is one request"):
        host.mark()
        before, since = shop.store.proxy.requests, time.monotonic()
        while time.monotonic() - since < 6 * INTERVAL:
            host.mark()
            time.sleep(0.02)
        # The interval is shortened by up to a fifth, by chance.
        assert 4 <= shop.store.proxy.requests - before <= 8, shop.store.proxy.requests - before


def weather(shop: Shop, host: Host) -> None:
    for broken, expected in BROKEN.items():
        with step(f"foul weather, {broken}: what served before serves on, and the record says why"):
            shop.store.proxy.turn(broken)
            try:
                told = host.problem()
                assert expected in told and host.mark() == 11, told
                answer = shop.run("status", CHANNEL, code=4) if broken in ("429", "500", "reset") else None
                assert answer is None or answer["error"], answer
            finally:
                shop.store.proxy.turn("fair")
            settled(host)
    with step("fair weather again: a new set is taken over"):
        shop.publish(13)
        host.until(13, 10)


def attacks(shop: Shop, host: Host) -> None:
    """Whoever has the bucket, but not the key."""
    store, channel = shop.store, "login/channels/prod.json"
    shop.publish(14, CHANNEL.replace("prod", "dev"))
    good = store.read(channel)
    old = store.read(f"login/history/prod/{1:020}.json")
    stranger = shop.signed_by_a_stranger(good)
    for name, body, told in [
        ("an older channel is put back", old, "was seen before"),
        ("the channel is changed", good.replace(b'sequence\\":4', b'sequence\\":9'), "signature does not hold"),
        ("another channel is copied there", store.read("login/channels/dev.json"), "it is the channel `dev`"),
        ("the signature is left out", json.dumps({"payload": json.loads(good)["payload"]}).encode(), "not signed"),
        ("somebody else signs it", stranger, "signed by a key that is not trusted"),
        ("it is no channel", b"<html>", "cannot be read"),
    ]:
        with step(f"{name}: refused, told, and what served serves on"):
            store.write(channel, body)
            told_by_host = host.problem()
            assert told in told_by_host and host.mark() == 13, told_by_host
            store.write(channel, good)
            settled(host)
    with step("components and machine code are replaced: nothing of them runs"):
        objects = store.client().list_objects_v2(Bucket=s3.BUCKET, Prefix="login/")["Contents"]
        keys = [it["Key"] for it in objects if "/components/" in it["Key"] or "/native/" in it["Key"]]
        whole = {key: store.read(key) for key in keys}
        for key in keys:
            store.write(key, whole[key][:-1] + b"x")
        with shop.host(COGWIT_CACHE=str(shop.folder / "other-cache")) as _:
            pass
        assert shop.run("status", CHANNEL, code=1)["complete"] is False
        assert host.mark() == 13
        for key in keys:
            store.write(key, whole[key])
        assert shop.run("status", CHANNEL)["complete"] is True


def settled(host: Host) -> None:
    """Waits until the store is followed again."""
    until = time.monotonic() + 10
    while host.said() and host.record()["set"].get("problem"):
        assert time.monotonic() < until, host.record()
        time.sleep(0.05)


def without(shop: Shop) -> None:
    with step("wrong credentials: told, and what was kept serves"):
        wrong = {"AWS_SECRET_ACCESS_KEY": "wrong"}
        assert "credentials" in shop.run("status", CHANNEL, code=4, **wrong)["error"]
        with shop.host(**wrong) as host:
            assert host.until(13, 10) < 10
            problem = host.problem()
            assert "credentials" in problem, problem
    with step("no such bucket: told, and nothing serves that nobody published there"):
        elsewhere = "s3://no-such-bucket/login#prod"
        told = shop.run("status", elsewhere, code=4)
        assert "there is no channel" in told["error"], told
        with shop.host(COGWIT_POLICIES=elsewhere) as host:
            assert "could not be completed" in host.said()
    with step("the store is away at the start: what was kept serves"):
        shop.store.proxy.turn("closed")
        with shop.host() as host:
            assert host.until(13, 10) < 10
    with step("the store is away, and nothing was kept: the copy in the package serves"):
        with shop.host(COGWIT_CACHE="off", LAMBDA_TASK_ROOT=str(packaged(shop))) as host:
            assert host.until(13, 10) < 10
            assert host.record()["set"]["sequence"] == 4, host.record()
    shop.store.proxy.turn("fair")


def packaged(shop: Shop) -> Path:
    """The package of a function that brings a copy of the store along, unpacked."""
    copy, zipped, task = shop.folder / "copy", shop.folder / "own.zip", shop.folder / "task"
    objects = shop.store.client().list_objects_v2(Bucket=s3.BUCKET, Prefix="login/")["Contents"]
    for key in [it["Key"] for it in objects]:
        path = copy / key.removeprefix("login/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(shop.store.read(key))
    command = [ROOT / "host" / "lambda" / "package", "--bootstrap", shop.bootstrap, "--policies", copy, "--out", zipped]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    with zipfile.ZipFile(zipped) as package:
        package.extractall(task)
    return task


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
