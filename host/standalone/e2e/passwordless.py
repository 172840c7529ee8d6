"""Signs users in by a key of their device: ministack's challenges, decided by the server."""

import json
import threading
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from claims import read
from clients import Python, refusal
from cognito_local import Pool, told
from device import Device, SignIn
from peers import step
from proxied import function
from server import Server

DEFINE = "DefineAuthChallenge_Authentication"
BEGIN = (DEFINE, "CreateAuthChallenge_Authentication")
WRONG = ("VerifyAuthChallengeResponse_Authentication", *BEGIN)
LAST = ("VerifyAuthChallengeResponse_Authentication", DEFINE)
REASONS = {
    "the answer is no signature",
    "the signature is another key's, or of another nonce",
    "the user has no device key",
}
CHALLENGES = ("DefineAuthChallenge", "CreateAuthChallenge", "VerifyAuthChallengeResponse")


class Users:
    """A pool whose users sign in by devices. Keeps what no record may hold."""

    def __init__(self, endpoint: str, arn: str, *names: str):
        triggers = dict.fromkeys((*CHALLENGES, "PreSignUp"), arn)
        schema = [{"Name": "device_key", "AttributeDataType": "String", "Mutable": True}]
        # ministack keeps the list of what an app may write, and does not hold the app to it, as Cognito does.
        self.pool = Pool(Python(), endpoint, ["email", "custom:domain"], LambdaConfig=triggers, Schema=schema)
        self.devices = {name: Device() for name in names}
        self.secrets = [device.attribute["Value"] for device in self.devices.values()]
        for name, device in self.devices.items():
            assert self.pool.sign_up(name) is True
            given = {"UserPoolId": self.pool.id, "Username": name}
            self.pool.call("AdminUpdateUserAttributes", UserAttributes=[device.attribute], **given)

    def begin(self, name: str, **parameters: str) -> SignIn:
        return SignIn(self.pool.call, self.pool.app, name, **parameters)

    def sign(self, signin: SignIn, device: str | None = None) -> str:
        """What the user's device answers, or that of somebody else."""
        signed = self.devices[device or signin.user].sign(self.pool.id, signin.user, signin.nonce)
        self.secrets += [signin.nonce, signed]
        return signed


def run(server: Server, ministack: str, arn: str) -> None:
    print("== by a key of the device, through ministack's challenges")
    with step("a pool, and users whom an administrator gives the keys of their devices", needed=True):
        users = Users(ministack, arn, "ingrid", "oliver")
        users.pool.sign_up("keyless")
    right(server, users)
    wrong(server, users)
    nobody(server, ministack)
    with step("the records say who decided and why, and hold no nonce, no answer and no key"):
        records = [record for record in server.records() if record["source"] in WRONG]
        decided = [policy for record in records for policy in record["policies"]]
        assert len(decided) == len(records) and {policy["name"] for policy in decided} == {"device"}, decided
        assert {line["message"] for policy in decided for line in policy.get("log", [])} == REASONS, decided
        said = server.out.read_text() + server.log.read_text()
        assert len(users.secrets) > 20 and DEFINE in said, users.secrets
        assert not [secret for secret in users.secrets if secret in said]


def right(server: Server, users: Users) -> None:
    with step("a right signature: tokens, signed by the pool's own key"), told(server, *BEGIN, *LAST):
        signin = users.begin("ingrid")
        tokens = signin.answer(users.sign(signin))
        token, access = (read(users.pool, tokens[kind]) for kind in ("IdToken", "AccessToken"))
        assert (token["cognito:username"], token["aud"]) == ("ingrid", users.pool.app), token
        assert (access["username"], access["token_use"]) == ("ingrid", "access"), access
    with step("a wrong signature, then the right one of another nonce: tokens"), told(server, *BEGIN, *WRONG, *LAST):
        signin = users.begin("ingrid")
        first = signin.nonce
        assert signin.answer(users.sign(signin, "oliver")) is None
        assert signin.nonce != first and "IdToken" in signin.answer(users.sign(signin))


def wrong(server: Server, users: Users) -> None:
    # The set allows two answers. ministack itself ends after three, with another message.
    with step("too many wrong answers: the sign-in is over, for a right one too"), told(server, *BEGIN, *WRONG, *LAST):
        signin = users.begin("ingrid")
        signin.answer(users.sign(signin, "oliver"))
        late = users.sign(signin)
        over(signin, users.sign(signin, "oliver"))
        assert refusal(signin.answer, late).code == "InvalidParameterException"
    with (
        step("a signature that was right before, and one of an earlier nonce: no tokens"),
        told(server, *BEGIN, *LAST, *BEGIN, *WRONG, *LAST),
    ):
        signin = users.begin("ingrid")
        used = users.sign(signin)
        assert signin.answer(used)
        signin = users.begin("ingrid")
        earlier = users.sign(signin)
        assert signin.answer(used) is None
        over(signin, earlier)
    for name, user, device in [
        ("the device of another user", "ingrid", "oliver"),
        ("a user without a key", "keyless", "oliver"),
    ]:
        with step(f"{name}: no tokens"), told(server, *BEGIN, *WRONG, *LAST):
            signin = users.begin(user)
            assert signin.answer(users.sign(signin, device)) is None
            over(signin, users.sign(signin, device))
    with step("what would skip the challenge: no tokens"), told(server, *(*BEGIN, *WRONG, *LAST) * 2, DEFINE):
        signin = users.begin("ingrid")
        assert signin.answer("") is None
        over(signin, " ")
        signin = users.begin("ingrid")
        assert signin.answer(signin.nonce) is None
        over(signin, "true")
        # A client that says it began with a password.
        assert refusal(users.begin, "ingrid", SRP_A="f00d").code == "NotAuthorizedException"


def over(signin: SignIn, answer: str) -> None:
    """The answer ends the sign-in, in the words that Cognito has for everything that is wrong."""
    refused = refusal(signin.answer, answer)
    assert (refused.code, refused.message) == ("NotAuthorizedException", "Incorrect username or password"), refused


def nobody(server: Server, ministack: str) -> None:
    """ministack fires nothing for a user who does not exist. So it asks of one who does, and what passes it on denies that."""
    with (
        step("a user who does not exist: the same steps, and with a right signature no tokens"),
        strangers(f"{server.endpoint}/decide") as address,
    ):
        users = Users(ministack, function(ministack, "strangers", address), "stranger")
        with told(server, *BEGIN, *WRONG, *LAST):
            signin = users.begin("stranger")
            assert signin.answer(users.sign(signin)) is None
            over(signin, users.sign(signin))


@contextmanager
def strangers(decide: str):
    """Passes events on, as those of users who do not exist. Gives the address."""

    class Strangers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            event["request"]["userNotFound"] = True
            answer = urllib.request.urlopen(decide, json.dumps(event).encode()).read()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Strangers) as listener:
        threading.Thread(target=listener.serve_forever, args=[0.05], daemon=True).start()
        yield f"http://127.0.0.1:{listener.server_port}"
        listener.shutdown()
