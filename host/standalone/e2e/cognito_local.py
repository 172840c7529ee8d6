"""Puts the server behind cognito-local, which calls it at every trigger that it knows, and signs users up and in."""

import json
import os
from contextlib import contextmanager
from pathlib import Path

from clients import refusal
from events import TOO_SHORT
from peers import free_port, start, step
from server import Server

# Not here: the custom e-mail sender, which would take the custom message's place.
FUNCTIONS = {
    "PreSignUp": "cogwit-fn:live",
    "PostConfirmation": "arn:aws:lambda:eu-north-1:123456789012:function:cogwit-fn:live",
    "PostAuthentication": "123456789012:function:cogwit-fn",
    "PreTokenGeneration": "cogwit-fn",
    "CustomMessage": "arn:aws:lambda:eu-north-1:123456789012:function:cogwit-fn",
    "UserMigration": "cogwit-fn:7",
}
CODE = "424242"
PASSWORD = "Correct-horse-7-battery"
DENIED = f"cogwit-fn:live failed with error {TOO_SHORT}."


def cognito_local(node: Path, folder: Path, functions: dict) -> str:
    """Starts one that calls its functions by a client with these settings, and gives its own endpoint."""
    port = free_port()
    home = folder / f"cognito-local-{port}"
    (home / ".cognito").mkdir(parents=True)
    config = {
        "LambdaClient": {"region": "eu-north-1"} | functions,
        "TriggerFunctions": FUNCTIONS,
        "UserPoolDefaults": {"UsernameAttributes": [], "MfaConfiguration": "OFF"},
    }
    (home / ".cognito" / "config.json").write_text(json.dumps(config))
    program = node / "node_modules" / "cognito-local" / "lib" / "bin" / "start.js"
    environment = os.environ | {"CODE": CODE, "HOST": "127.0.0.1", "PORT": str(port)}
    start(["node", program], folder / f"cognito-local-{port}.log", port, env=environment, cwd=home)
    return f"http://127.0.0.1:{port}"


class Pool:
    """A user pool, and an app that uses it through one of the SDKs."""

    def __init__(self, client, endpoint: str, writes: list[str] | None = None, **options):
        self.client, self.endpoint = client, endpoint
        options = {"PoolName": "e2e", "AutoVerifiedAttributes": ["email"]} | options
        self.id = self.call("CreateUserPool", **options)["UserPool"]["Id"]
        flows = ["ALLOW_CUSTOM_AUTH", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
        app = {"ClientName": "app", "ExplicitAuthFlows": flows} | ({"WriteAttributes": writes} if writes else {})
        self.app = self.call("CreateUserPoolClient", UserPoolId=self.id, **app)["UserPoolClient"]["ClientId"]

    def call(self, operation: str, **given) -> dict:
        return self.client.call("cognito-idp", self.endpoint, operation, **given)

    def sign_up(self, name: str, domain: str = "example.com", password: str = PASSWORD, **others: str) -> bool:
        """Whether the user is confirmed at once. What the policy confirms is an address of the domain that is named."""
        attributes = {"email": f"{name}@{domain}", "custom:domain": "example.com"} | others
        attributes = [{"Name": key, "Value": value} for key, value in attributes.items()]
        given = {"ClientId": self.app, "Username": name, "Password": password, "UserAttributes": attributes}
        return self.call("SignUp", **given)["UserConfirmed"]

    def sign_in(self, name: str, password: str = PASSWORD) -> dict:
        """The tokens."""
        return self.authenticate("USER_PASSWORD_AUTH", USERNAME=name, PASSWORD=password)

    def authenticate(self, flow: str, **parameters: str) -> dict:
        return self.call("InitiateAuth", ClientId=self.app, AuthFlow=flow, AuthParameters=parameters)["AuthenticationResult"]

    def users(self) -> dict[str, str]:
        """The status of every user."""
        return {user["Username"]: user["UserStatus"] for user in self.call("ListUsers", UserPoolId=self.id)["Users"]}


def run(server: Server, endpoint: str, client) -> None:
    print(f"== cognito-local at {endpoint}, driven by the SDK for {type(client).__name__}")
    with step("a pool is made", needed=True):
        pool = Pool(client, endpoint)
    signing_up(server, pool)
    by_code(server, pool)
    by_others(server, pool)


@contextmanager
def told(server: Server, *sources: str, decision: str = "allow"):
    """Holds the server to one record for each trigger source, in this order, and gives them once the `with` is over."""
    with server.writes(len(sources)) as records:
        yield records
    decisions = [(record["source"], record["decision"]) for record in records]
    assert decisions == [(source, decision) for source in sources], decisions


def signing_up(server: Server, pool: Pool) -> None:
    with (
        step("sign-up: allowed, and confirmed by a policy"),
        told(server, "PreSignUp_SignUp", "CustomMessage_SignUp", "PostConfirmation_ConfirmSignUp"),
    ):
        assert pool.sign_up("testuser") is True
        got = pool.call("AdminGetUser", UserPoolId=pool.id, Username="testuser")
        assert got["UserStatus"] == "CONFIRMED" and pool.users() == {"testuser": "CONFIRMED"}, (got, pool.users())
    with (
        step("sign-in and refresh: the events come back as they went, and there are tokens"),
        told(server, "PostAuthentication_Authentication", "TokenGeneration_Authentication", "TokenGeneration_RefreshTokens"),
    ):
        tokens = pool.sign_in("testuser")
        assert {"IdToken", "AccessToken", "RefreshToken"} <= tokens.keys(), tokens
        tokens = pool.authenticate("REFRESH_TOKEN_AUTH", REFRESH_TOKEN=tokens["RefreshToken"])
        assert {"IdToken", "AccessToken"} <= tokens.keys(), tokens
    with (
        step("sign-up: denied with the policy's own message, and there is no user"),
        told(server, "PreSignUp_SignUp", decision="deny"),
    ):
        refused = refusal(pool.sign_up, "rroe")
        assert (refused.code, refused.message, refused.typed) == ("UserLambdaValidationException", DENIED, True), refused
        assert pool.users() == {"testuser": "CONFIRMED"}, pool.users()
    with step("every name of the function was read"):
        functions = {record["function"] for record in server.records()}
        assert functions == {"cogwit-fn"}, functions


def by_code(server: Server, pool: Pool) -> None:
    with (
        step("sign-up: allowed, and confirmed by a code"),
        told(server, "PreSignUp_SignUp", "CustomMessage_SignUp", "PostConfirmation_ConfirmSignUp"),
    ):
        assert pool.sign_up("otheruser", "elsewhere.example") is False
        assert refusal(pool.sign_in, "otheruser").code == "UserNotConfirmedException"
        pool.call("ConfirmSignUp", ClientId=pool.app, Username="otheruser", ConfirmationCode=CODE)
        assert pool.users()["otheruser"] == "CONFIRMED", pool.users()
    with (
        step("a password that was forgotten"),
        told(
            server,
            *("CustomMessage_ForgotPassword", "PostConfirmation_ConfirmForgotPassword"),
            *("PostAuthentication_Authentication", "TokenGeneration_Authentication"),
        ),
    ):
        of = {"ClientId": pool.app, "Username": "testuser"}
        pool.call("ForgotPassword", **of)
        pool.call("ConfirmForgotPassword", ConfirmationCode=CODE, Password="Another-horse-7", **of)
        assert "IdToken" in pool.sign_in("testuser", "Another-horse-7")


def by_others(server: Server, pool: Pool) -> None:
    with (
        step("an administrator makes a user, and confirms one who has no client"),
        told(
            server,
            *("CustomMessage_AdminCreateUser", "PreSignUp_SignUp", "CustomMessage_SignUp", "PostConfirmation_ConfirmSignUp"),
        ),
    ):
        made = {"Username": "made-user", "UserAttributes": [{"Name": "email", "Value": "made@example.com"}]}
        pool.call("AdminCreateUser", UserPoolId=pool.id, DesiredDeliveryMediums=["EMAIL"], **made)
        pool.sign_up("third-user", "elsewhere.example")
        pool.call("AdminConfirmSignUp", UserPoolId=pool.id, Username="third-user")
        assert pool.users()["third-user"] == "CONFIRMED", pool.users()
    # What comes of it is cognito-local's own: it makes a user of the event that comes back as it went.
    with (
        step("a user who is not there yet: the event comes back as it went"),
        told(server, "UserMigration_Authentication", "PostAuthentication_Authentication", "TokenGeneration_Authentication"),
    ):
        assert "IdToken" in pool.sign_in("old-user")
