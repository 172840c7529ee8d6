"""Calls the server as a Lambda function: by the AWS command line, and by the SDKs."""

import base64
import json
import shutil
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from clients import Refused, refusal
from events import TOO_SHORT, event
from peers import step
from server import Server

# What the template of the Lambda host makes.
ARN = "arn:aws:lambda:eu-north-1:123456789012:function:cogwit:live"
POLICIES = Path(__file__).parents[3] / "policies-wasm"
# A policy that is slow by its settings: it compares this many domains for each sign-up.
DOMAINS = 200_000


def event_of(name: str) -> bytes:
    """A sign-up with what a parser would write otherwise."""
    sent = event("PreSignUp_SignUp", autoConfirmUser=None) | {"userName": name}
    sent["request"]["userAttributes"] = {"email": f"{name}@example.com", "custom:domain": "example.com"}
    odd = r'"new": [1E2, 0.10000000000000000555, "\ud800 \/"]'
    return json.dumps(sent, indent=1).replace('"validationData": null', odd).encode()


ALLOWED, DENIED = event_of("testuser"), event_of("rroe")


@cache
def run_of(cogwit: Path, sent: bytes, *arguments: str | Path) -> bytes:
    """What the command says of an event."""
    return subprocess.run([cogwit, "run", "-", *arguments], input=sent, capture_output=True).stdout


@dataclass
class Answer:
    """What the AWS command line printed of an invocation."""

    told: dict
    payload: bytes
    error: str


class CommandLine:
    """The AWS command line."""

    def __init__(self, endpoint: str, folder: Path):
        self.endpoint, self.folder = endpoint, folder

    def invoke(self, function: str, sent: bytes, *arguments: str) -> Answer:
        payload, reply = self.folder / "payload.json", self.folder / "reply.json"
        payload.write_bytes(sent)
        reply.unlink(missing_ok=True)
        command = [Path(sys.executable).parent / "aws", "lambda", "invoke", "--endpoint-url", self.endpoint]
        command += ["--function-name", function, "--payload", f"fileb://{payload}", *arguments, reply]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.folder, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            return Answer({}, b"", done.stderr)
        return Answer(json.loads(done.stdout), reply.read_bytes(), "")


def command_line(cogwit: Path, server: Server, folder: Path) -> None:
    print(f"== the AWS command line at {server.endpoint}")
    aws = CommandLine(server.endpoint, folder)
    with step("allowed: the very bytes of `cogwit run`"):
        answer = aws.invoke("cogwit-fn", ALLOWED, "--qualifier", "live")
        assert answer.told == {"StatusCode": 200, "ExecutedVersion": "$LATEST"}, answer
        assert answer.payload == run_of(cogwit, ALLOWED) == ALLOWED.replace(b"null", b"true"), answer
    with step("denied: a function error, the very bytes of `cogwit run`, and the end of the log"):
        with server.writes(1) as records:
            answer = aws.invoke(ARN, DENIED, "--log-type", "Tail")
        assert (answer.told["StatusCode"], answer.told["FunctionError"]) == (200, "Unhandled"), answer
        assert answer.payload == run_of(cogwit, DENIED) and TOO_SHORT.encode() in answer.payload, answer
        log = base64.b64decode(answer.told["LogResult"]).decode().splitlines()
        assert log[0].startswith(f"START RequestId: {records[0]['id']} ") and json.loads(log[1]) == records[0], log
    with step("not decided at all, and decided after the answer"):
        with server.writes(1) as records:
            for kind, status in [("DryRun", 204), ("Event", 202)]:
                answer = aws.invoke("cogwit-fn", DENIED, "--invocation-type", kind)
                assert (answer.told["StatusCode"], answer.payload) == (status, b""), answer
        assert records[0]["decision"] == "deny", records
    with step("one policy of the set, by either name"):
        with server.writes(2) as records:
            alone = aws.invoke("cogwit:auto-confirm-domain", DENIED)
            refused = aws.invoke("cogwit", DENIED, "--qualifier", "deny-short-username")
        policy = ["--policy", POLICIES / "auto-confirm-domain.wasm", "--setting", "auto-confirm-domain.domains=example.com"]
        assert alone.payload == run_of(cogwit, DENIED, *policy) == DENIED.replace(b"null", b"true"), alone
        assert refused.payload == run_of(cogwit, DENIED), refused
        ran = [[policy["name"] for policy in record["policies"]] for record in records]
        assert ran == [["auto-confirm-domain"], ["deny-short-username"]], ran
    with step("no such policy, and no JSON"):
        assert "(ResourceNotFoundException) when calling" in aws.invoke("cogwit:deny-short", ALLOWED).error
        assert "(InvalidRequestContentException) when calling" in aws.invoke("cogwit-fn", b"{]").error


def by_sdk(server: Server, client) -> None:
    print(f"== the SDK for {type(client).__name__} at {server.endpoint}")

    def invoke(sent: bytes, **others) -> dict:
        given = {"FunctionName": "cogwit-fn", "Payload": sent.decode()} | others
        return client.call("lambda", server.endpoint, "Invoke", **given)

    with step("allowed and denied, and the request's id is the record's"):
        with server.writes(2) as records:
            answers = [invoke(ALLOWED), invoke(DENIED, FunctionName=ARN)]
        assert answers[0]["Payload"].encode() == ALLOWED.replace(b"null", b"true"), answers
        assert "FunctionError" not in answers[0], answers
        assert json.loads(answers[1]["Payload"])["errorMessage"] == TOO_SHORT, answers
        assert answers[1]["FunctionError"] == "Unhandled" and answers[1]["ExecutedVersion"] == "$LATEST", answers
        assert [record["id"] for record in records] == [answer["RequestId"] for answer in answers], (records, answers)
    with step("no payload: an empty object, which names no trigger"):
        answer = client.call("lambda", server.endpoint, "Invoke", FunctionName="cogwit-fn")
        assert json.loads(answer["Payload"])["errorType"] == "Function.EventRefused", answer
    with step("every error is the exception that the SDK has for it"):
        for code, sent, others in [
            ("ResourceNotFoundException", ALLOWED, {"FunctionName": "cogwit:nothing"}),
            ("ResourceNotFoundException", ALLOWED, {"FunctionName": "cogwit", "Qualifier": "nothing"}),
            ("InvalidParameterValueException", ALLOWED, {"FunctionName": "cogwit-fn:live", "Qualifier": "other"}),
            ("InvalidParameterValueException", ALLOWED, {"FunctionName": "no/function"}),
            ("InvalidRequestContentException", b"{]", {}),
            ("InvalidRequestContentException", b"{]", {"InvocationType": "Event"}),
            ("RequestTooLargeException", json.dumps("x" * (6 << 20)).encode(), {}),
            ("RequestTooLargeException", json.dumps("x" * (1 << 20)).encode(), {"InvocationType": "Event"}),
        ]:
            refused = refusal(invoke, sent, **others)
            assert (refused.code, refused.typed) == (code, True) and refused.message, (code, sent[:9], others, refused)


def slow_set(folder: Path) -> Path:
    """A set that takes a tenth of a second to accept a sign-up."""
    slow = folder / "slow"
    slow.mkdir()
    for name in ("deny-short-username.wasm", "access-gate.wasm", "auto-confirm-domain.wasm"):
        shutil.copy(POLICIES / name, slow)
    (slow / "policies.toml").write_text(
        'schema = 1\n[set]\nname = "slow"\n[limits]\nfuel = 2_000_000_000\ndeadline = "3 s"\nmemory = "128 MiB"\n'
        '[[policy]]\nname = "short"\ncomponent = "deny-short-username.wasm"\n'
        f'[[policy]]\nname = "gate"\ncomponent = "access-gate.wasm"\nsettings.refused-domains = "{"a.b," * DOMAINS}c.d"\n'
        '[[policy]]\nname = "confirm"\ncomponent = "auto-confirm-domain.wasm"\nsettings.domains = "example.com"\n'
    )
    return slow


def at_once(cogwit: Path, slow: Path, folder: Path, clients: list) -> None:
    print("== a slow policy, and one invocation at a time")
    server = Server(cogwit, folder, "--policies", str(slow), "--concurrency", "1")

    def invoke(client=clients[0]) -> dict:
        return client.call("lambda", server.endpoint, "Invoke", FunctionName="slow", Payload=ALLOWED.decode())

    with ThreadPoolExecutor(1) as pool:
        for client in clients:
            with step(f"one too many: the exception that the SDK for {type(client).__name__} has for it"):
                first, refused = one_too_many(server, pool, invoke, client)
                assert (refused.code, refused.typed) == ("TooManyRequestsException", True), refused
                assert first.result()["Payload"].encode() == ALLOWED.replace(b"null", b"true"), first.result()
        with step("the word to end: what is under way is answered"):
            last = under_way(server, pool, invoke)
            assert server.end() == 0
            assert last.result()["Payload"].encode() == ALLOWED.replace(b"null", b"true"), last.result()


def one_too_many(server: Server, pool: ThreadPoolExecutor, invoke, client) -> tuple[Future, Refused]:
    """An invocation, and what another one was told meanwhile. On a busy machine the first may be over by then."""
    for _ in range(5):
        first = under_way(server, pool, invoke)
        with suppress(AssertionError):
            return first, refusal(invoke, client)
    raise AssertionError("nothing was refused")


def under_way(server: Server, pool: ThreadPoolExecutor, invoke) -> Future:
    """Begins an invocation, and gives it while it is under way. On a busy machine that may be missed."""
    for _ in range(20):
        begun = pool.submit(invoke)
        while not begun.done():
            if json.loads(server.get("/status")[2])["invocationsUnderWay"] == 1:
                return begun
    raise AssertionError("no invocation was under way")
