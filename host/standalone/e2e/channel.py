"""Changes what serves, and the server itself, while cognito-local signs users up."""

import json
import os
import shutil
import subprocess
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from threading import Event

import s3
from clients import Python, Refused
from cognito_local import DENIED, Pool, cognito_local
from invoke import POLICIES
from peers import step
from proxy import Proxy
from server import Server

REFRESH = 1.0
# What cognito-local says where no server answers; the name is misspelt there.
UNANSWERED = "UnexpectedLambdaExceptionException"
STRICTER = DENIED.replace(" 5.", " 20.")
# So many names at a time are signed up.
AT_ONCE = 4


def policies(folder: Path, least: int) -> Path:
    """A set that asks for names of so many characters, and confirms a domain."""
    folder.mkdir(exist_ok=True)
    for name in ("auto-confirm-domain.wasm", "deny-short-username.wasm"):
        shutil.copy(POLICIES / name, folder)
    (folder / "policies.toml").write_text(
        'schema = 1\n[set]\nname = "login"\n'
        f'[[policy]]\nname = "short"\ncomponent = "deny-short-username.wasm"\nsettings = {{ minimum-length = {least} }}\n'
        '[[policy]]\nname = "confirm"\ncomponent = "auto-confirm-domain.wasm"\nsettings = { domains = "example.com" }\n'
    )
    return folder


class Shop:
    """A store, and a key with which it is published to."""

    def __init__(self, cogwit: Path, folder: Path, channel: str, environment: dict[str, str]):
        self.cogwit, self.folder, self.channel = cogwit, folder, channel
        folder.mkdir()
        subprocess.run([cogwit, "keygen", "--no-password"], cwd=folder, check=True, capture_output=True)
        key = (folder / "cogwit.pub").read_text().splitlines()[1]
        host = {"COGWIT_TRUSTED_KEYS": key, "COGWIT_REFRESH": f"{REFRESH:.0f}s", "COGWIT_CACHE": str(folder / "cache")}
        self.environment = environment | host | {"COGWIT_STATE": str(folder / "state")}

    def run(self, *arguments: str) -> None:
        command = [self.cogwit, *arguments, "--key", "cogwit.key"]
        done = subprocess.run(command, env=self.environment, cwd=self.folder, capture_output=True, text=True)
        assert done.returncode == 0, done

    def publish(self, least: int) -> None:
        """Publishes a set that asks for names of so many characters."""
        self.run("publish", str(policies(self.folder / "policies", least)), self.channel)

    def rollback(self) -> None:
        self.run("rollback", self.channel)


class People:
    """Sign up, each with a name of ten characters that nobody had."""

    def __init__(self, pool: Pool):
        self.pool = pool
        self.numbers = count(1)

    def sign_up(self, name: str | None = None) -> str:
        """What becomes of one: `confirmed`, or why not."""
        try:
            return "confirmed" if self.pool.sign_up(name or f"user-{next(self.numbers):05}") else "not confirmed"
        except Refused as refused:
            return refused.message if refused.code == "UserLambdaValidationException" else refused.code

    def until(self, outcome: str) -> float:
        """Signs up until this is what comes of it, and says how long it took."""
        since = time.monotonic()
        while (came := self.sign_up()) != outcome:
            assert time.monotonic() - since < 10 * REFRESH, f"{came}, and not {outcome}"
            time.sleep(0.02)
        return time.monotonic() - since

    def keep_on(self, enough: Event) -> Counter:
        """Signs up, every other one with a name that is too short, and counts what comes of it."""
        came = Counter()
        while not enough.is_set():
            came[self.sign_up()] += 1
            came[self.sign_up("rroe")] += 1
        return came


def run(cogwit: Path, node: Path, slow: Path, folder: Path) -> None:
    # In place of a load balancer: it hands each new connection to the server that it is told. Nothing is tried again.
    front = Proxy(0)
    with step("cognito-local starts, behind what hands connections on", needed=True):
        endpoint = cognito_local(node, folder, {"endpoint": f"http://127.0.0.1:{front.port}", "maxRetries": 0})
        people = People(Pool(Python(), endpoint))
    store = folder / "store"
    swapping(Shop(cogwit, folder / "shop-file", f"file://{store}#prod", dict(os.environ)), front, people)
    with step("ministack starts as S3, and knows a user", needed=True):
        (folder / "s3").mkdir()
        ministack = s3.ministack(folder / "s3")
    swapping(Shop(cogwit, folder / "shop-s3", f"s3://{s3.BUCKET}/login#prod", ministack.environment()), front, people)
    watching(cogwit, folder, front, people)
    ending(cogwit, slow, folder, front, people)


def swapping(shop: Shop, front: Proxy, people: People) -> None:
    print(f"== {shop.channel.partition(':')[0]}: another set while sign-ups run")
    with step("a set is published, and the server follows it", needed=True):
        shop.publish(5)
        server = Server(shop.cogwit, shop.folder, "--policies", shop.channel, **shop.environment)
        front.upstream = server.port
        assert people.sign_up() == "confirmed"
    with server:
        with step("a stricter set is published: sign-ups are refused after the next refresh"):
            shop.publish(20)
            took = people.until(STRICTER)
            print(f"        after {took:.2f} s, asked every {REFRESH} s")
        with step("one command goes back: sign-ups are accepted after the next refresh"):
            shop.rollback()
            took = people.until("confirmed")
            print(f"        after {took:.2f} s, asked every {REFRESH} s")
        with step("the server says what it serves, and was never started anew"):
            told = json.loads(server.get("/status")[2])
            assert (told["channel"]["sequence"], told["problem"]) == (3, None), told
            versions = {record["set"]["sequence"] for record in server.records()}
            assert versions == {1, 2, 3}, versions


def watching(cogwit: Path, folder: Path, front: Proxy, people: People) -> None:
    print("== files: another set while sign-ups run")
    files = policies(folder / "files", 5)
    with Server(cogwit, folder, "--policies", str(files), "--watch") as server:
        front.upstream = server.port
        with step("a stricter set is saved: sign-ups are refused; then one that is none, which changes nothing"):
            assert people.sign_up() == "confirmed"
            policies(files, 20)
            people.until(STRICTER)
            (files / "policies.toml").write_text("schema = 1\n[set")
            until = time.monotonic() + 10
            while not json.loads(server.get("/status")[2])["problem"]:
                assert people.sign_up() == STRICTER and time.monotonic() < until
            assert people.sign_up() == STRICTER
            policies(files, 5)
            people.until("confirmed")


def ending(cogwit: Path, slow: Path, folder: Path, front: Proxy, people: People) -> None:
    print("== the server ends while sign-ups run, by a slow policy")
    first, second = [Server(cogwit, folder, "--policies", str(slow)) for _ in range(2)]
    with step("another takes over: every sign-up is answered, and none is decided twice"):
        came = crowd(people, front, first, second)
        assert came.keys() == {"confirmed", DENIED}, came
        assert decided(first, second) == {"allow": came["confirmed"], "deny": came[DENIED]}, (decided(first, second), came)
        assert decided(first) and decided(second), (decided(first), decided(second))
    with step("none takes over: whatever was decided is answered, and the rest is an error of the function"):
        before = decided(second)
        came = crowd(people, front, second, None)
        assert came.keys() == {"confirmed", DENIED, UNANSWERED}, came
        during = decided(second) - before
        assert during == {"allow": came["confirmed"], "deny": came[DENIED]}, (during, came)


def crowd(people: People, front: Proxy, server: Server, after: Server | None) -> Counter:
    """What becomes of many sign-ups, in the midst of which a server ends."""
    enough = Event()
    front.upstream = server.port
    with ThreadPoolExecutor(AT_ONCE) as pool:
        running = [pool.submit(people.keep_on, enough) for _ in range(AT_ONCE)]
        time.sleep(1)
        if after:
            front.upstream = after.port
        code = server.end()
        time.sleep(0.5)
        enough.set()
    assert code == 0, code
    came = sum((done.result() for done in running), Counter())
    print(f"        {sum(came.values())} sign-ups")
    return came


def decided(*servers: Server) -> Counter:
    """How many sign-ups these decided, and how."""
    records = [record for server in servers for record in server.records()]
    return Counter(record["decision"] for record in records if record["source"] == "PreSignUp_SignUp")
