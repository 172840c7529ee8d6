"""Changes what serves while users are in the middle of signing in by a key of their device, through ministack's challenges."""

import json
import os
import shutil
import time
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
    environment = dict(os.environ) | {"COGWIT_ROLLOUT_KEY": "one of these trials"}
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


def growing(line: Line, users: Users) -> None:
    """A candidate for a few, for more, for all, and the way back, while users sign in."""
    enough = Event()

    def sign_in(first: int) -> int:
        done = 0
        while not enough.is_set():
            for name in NAMES[first::AT_ONCE]:
                signin = users.begin(name)
                assert "IdToken" in signin.answer(users.sign(signin)), name
                done += 1
        return done

    candidate = 'candidate = { component = "device-key.wasm", settings = { attempts = 4 }, rollout = 10 }\n'
    with (
        step("a candidate for 10 of 100, for 60, for all, and one command back: everybody who signs in gets tokens"),
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        running = [pool.submit(sign_in, first) for first in range(AT_ONCE)]
        try:
            line.ship("publish", str(policies(line.shop.folder / "third", 3, candidate)), line.shop.channel)
            line.ship("publish", line.shop.channel, "--rollout", "device=60")
            time.sleep(1)
            line.ship("publish", line.shop.channel, "--promote", "device")
            time.sleep(1)
            line.ship("rollback", line.shop.channel)
        finally:
            enough.set()
        print(f"        {sum(done.result() for done in running)} sign-ins")
    with step("the records name both sides, and no decision broke"):
        records = line.server.records()
        sides = {policy.get("side") for record in records for policy in record["policies"] if policy["name"] == "device"}
        assert sides == {None, "stable", "candidate"}, sides
        assert not [record for record in records if record["decision"] != "allow"]
