"""Changes what serves while users are in the middle of signing in by a key of their device, through ministack's challenges."""

import hmac
import json
import os
import shutil
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

from channel import Shop
from invoke import POLICIES
from passwordless import Users
from peers import step
from proxied import function
from server import Server

NAMES = [f"user-{number}" for number in range(8)]
# So many users sign in at a time.
AT_ONCE = 3
# What parts users between the policy and its candidate, and what records name them by.
KEY = "one of these trials"


def policies(folder: Path, attempts: int, candidate: str = "") -> Path:
    """A set that signs users in by a key, and confirms them."""
    folder.mkdir(exist_ok=True)
    for name in ("auto-confirm-domain.wasm", "device-key.wasm"):
        shutil.copy(POLICIES / name, folder)
    (folder / "policies.toml").write_text(
        'schema = 1\n[set]\nname = "login"\n[limits]\ndeadline = "1 s"\n'
        '[[policy]]\nname = "confirm"\ncomponent = "auto-confirm-domain.wasm"\nsettings = { domains = "example.com" }\n'
        '[[policy]]\nname = "device"\ncomponent = "device-key.wasm"\ncapabilities = ["random"]\n'
        f"settings = {{ attempts = {attempts} }}\n{candidate}"
    )
    return folder


class Line:
    """A channel, and the server that follows it."""

    def __init__(self, shop: Shop, server: Server):
        self.shop, self.server, self.sequence = shop, server, 1

    def ship(self, *arguments: str) -> None:
        """Changes the channel, and waits until that serves."""
        self.shop.run(*arguments)
        self.sequence += 1
        until = time.monotonic() + 20
        while json.loads(self.server.get("/status")[2])["channel"]["sequence"] < self.sequence:
            assert time.monotonic() < until, self.server.log.read_text()
            time.sleep(0.05)


def run(cogwit: Path, ministack: str, folder: Path) -> None:
    print("== another set in the middle of sign-ins by a key of the device")
    # Records tell users apart, so that it is known who should have come to which side.
    environment = dict(os.environ) | {"COGWIT_ROLLOUT_KEY": KEY, "COGWIT_MASK_KEY": KEY}
    shop = Shop(cogwit, folder / "shop-crossing", f"file://{folder}/crossing#prod", environment)
    shop.run("publish", str(policies(shop.folder / "first", 2)), shop.channel)
    with Server(cogwit, shop.folder, "--policies", shop.channel, **shop.environment) as server:
        with step("a pool whose challenges the server decides by a channel", needed=True):
            users = Users(ministack, function(ministack, "crossing", f"{server.endpoint}/decide"), *NAMES)
        line = Line(shop, server)
        crossing(line, users)
        growing(line, users)


def crossing(line: Line, users: Users) -> None:
    with step("a challenge that the set before made is answered after the swap: tokens"):
        signin = users.begin(NAMES[0])
        line.ship("publish", str(policies(line.shop.folder / "second", 3)), line.shop.channel)
        assert "IdToken" in signin.answer(users.sign(signin))
    with step("an answer that was wrong before the way back, and one that is right after it: tokens"):
        signin = users.begin(NAMES[0])
        assert signin.answer(users.sign(signin, NAMES[1])) is None
        line.ship("rollback", line.shop.channel)
        assert "IdToken" in signin.answer(users.sign(signin))


class SignIns:
    """Everybody signs in again and again, until it is enough."""

    def __init__(self, line: Line, users: Users, pool: ThreadPoolExecutor):
        self.line, self.users, self.done, self.enough = line, users, Counter(), Event()
        self.running = [pool.submit(self.go_on, first) for first in range(AT_ONCE)]

    def go_on(self, first: int) -> None:
        while not self.enough.is_set():
            for name in NAMES[first::AT_ONCE]:
                self.sign_in(name)

    def sign_in(self, name: str) -> None:
        signin = None
        try:
            signin = self.users.begin(name)
            assert "IdToken" in (signin.answer(self.users.sign(signin)) or {}), "no tokens"
        except Exception as error:
            told = signin and signin.told
            records = "\n".join(json.dumps(record) for record in self.line.server.records()[-6:])
            failed = f"{name}, after {self.done[name]} sign-ins: {error!r}; the pool said last: {told}; the last records:"
            raise AssertionError(f"{failed}\n{records}") from error
        self.done[name] += 1

    def again(self) -> None:
        """Waits until everybody has signed in once more from the beginning, or somebody could not."""
        # A sign-in that is under way began before.
        before, until = Counter(self.done), time.monotonic() + 60
        while any(self.done[name] < before[name] + 2 for name in NAMES) and not any(it.done() for it in self.running):
            assert time.monotonic() < until, (before, self.done)
            time.sleep(0.02)

    def end(self) -> None:
        self.enough.set()
        for running in self.running:
            running.result()


def keyed(text: str) -> bytes:
    return hmac.digest(KEY.encode(), text.encode(), "sha256")


def bucket(pool: str, user: str) -> int:
    """Where a user stands for the policy `device`, as the guide to candidates has it."""
    return int.from_bytes(keyed(f"device\0{pool}\0{user}")[:8], "big") % 100


def growing(line: Line, users: Users) -> None:
    """A candidate for a few, for some of these users and not for others, for all, and the way back, while users sign in."""
    buckets = {name: bucket(users.pool.id, name) for name in NAMES}
    different = sorted(set(buckets.values()))
    # It lies above the least, and the greatest not below it.
    some = different[len(different) // 2]
    candidate = 'candidate = { component = "device-key.wasm", settings = { attempts = 4 }, rollout = 10 }\n'
    rollouts = {}
    with (
        step(f"a candidate for 10 of 100, for {some}, for all, and one command back: everybody who signs in gets tokens"),
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        signins = SignIns(line, users, pool)
        try:
            line.ship("publish", str(policies(line.shop.folder / "third", 3, candidate)), line.shop.channel)
            rollouts[line.sequence] = 10
            line.ship("publish", line.shop.channel, "--rollout", f"device={some}")
            rollouts[line.sequence] = some
            signins.again()
            line.ship("publish", line.shop.channel, "--promote", "device")
            signins.again()
            line.ship("rollback", line.shop.channel)
            rollouts[line.sequence] = some
            signins.again()
        finally:
            signins.end()
        print(f"        {signins.done.total()} sign-ins")
    with step("the records name the side of each user, and no decision broke"):
        named, came = {keyed(name).hex(): at for name, at in buckets.items()}, set()
        for record in line.server.records():
            assert record["decision"] == "allow", record
            rollout, side = rollouts.get(record["set"]["sequence"]), None
            if rollout is not None:
                side = "candidate" if named[record["user"]] < rollout else "stable"
            for policy in record["policies"]:
                if policy["name"] == "device":
                    assert policy.get("side") == side, (side, record)
                    came.add((rollout, side))
        assert came >= {(None, None), (some, "stable"), (some, "candidate")}, came
