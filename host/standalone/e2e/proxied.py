"""Puts the server behind ministack's Cognito, which posts an event to a function's address and looks at the status alone."""

import io
import os
import sys
import zipfile
from pathlib import Path

import boto3
from clients import refusal
from cognito_local import Pool, told
from events import TOO_SHORT
from peers import free_port, start, step
from server import Server


def ministack(folder: Path) -> str:
    """Starts one, and gives its endpoint."""
    port = free_port()
    program = Path(sys.executable).parent / "ministack"
    peer = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "SERVICES": "cognito-idp,iam,lambda,logs,sts"}
    # As in Cognito, there are no tokens where their trigger fails.
    peer |= {"MINISTACK_COGNITO_PRETOKEN_STRICT": "1", "STATE_DIR": str(folder / "ministack"), "TMPDIR": str(folder)}
    start([program], folder / "ministack.log", port, env=os.environ | peer, cwd=folder)
    return f"http://127.0.0.1:{port}"


def function(endpoint: str, name: str, address: str) -> str:
    """The ARN of a function whose events are posted to an address. It has to have code, which never runs."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as zipped:
        zipped.writestr("bootstrap", "")
    return boto3.client("lambda", endpoint_url=endpoint).create_function(
        FunctionName=name,
        Runtime="provided.al2023",
        Handler="bootstrap",
        Role="arn:aws:iam::000000000000:role/none",
        Code={"ZipFile": code.getvalue()},
        Environment={"Variables": {"MINISTACK_LAMBDA_PROXY_URL": address}},
    )["FunctionArn"]


def run(server: Server, endpoint: str, clients: list) -> None:
    print(f"== ministack's Cognito at {endpoint}, whose functions are addresses")
    with step("a function is made", needed=True):
        arn = function(endpoint, "decide", f"{server.endpoint}/decide")
    for client in clients:
        sdk = type(client).__name__
        with (
            step(f"sign-up by the SDK for {sdk}: allowed, and confirmed by a policy; there are tokens"),
            told(server, "PreSignUp_SignUp", "TokenGeneration_Authentication"),
        ):
            pool = Pool(client, endpoint, LambdaConfig={"PreSignUp": arn, "PreTokenGeneration": arn})
            assert pool.sign_up("testuser") is True and pool.users() == {"testuser": "CONFIRMED"}, pool.users()
            assert "IdToken" in pool.sign_in("testuser")
        with step(f"sign-up by the SDK for {sdk}: denied with the policy's own message, and there is no user"):
            refused = refusal(pool.sign_up, "rroe")
            # ministack shows all that came back, where Cognito shows the message alone.
            assert refused.code == "UserLambdaValidationException" and TOO_SHORT in refused.message, refused
            assert "HTTP 403" in refused.message and pool.users() == {"testuser": "CONFIRMED"}, (refused, pool.users())
    with step("sign-up: refused by one policy alone, and by one that is not there"):
        for policy, status in [("deny-short-username", "HTTP 403"), ("nothing", "HTTP 404")]:
            arn = function(endpoint, policy, f"{server.endpoint}/decide/{policy}")
            pool = Pool(clients[0], endpoint, LambdaConfig={"PreSignUp": arn})
            refused = refusal(pool.sign_up, "rroe")
            assert status in refused.message and pool.users() == {}, (refused, pool.users())
