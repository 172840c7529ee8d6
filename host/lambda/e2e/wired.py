"""Wires a pool that exists, with `wire`, behind a Cognito that forgets what it is not given, as the real one does."""

import json
import os
import subprocess
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import boto3
from botocore.exceptions import ClientError
from deployed import Stack
from events import TOO_SHORT
from peers import step

WIRE = Path(__file__).parent.parent / "deploy" / "wire"
# ministack keeps what it is not given. The tier is kept by Cognito too.
KEPT = {"UserPoolId", "PoolName", "UserPoolTier"}
# What is lost though it was given.
LOST = set()
SETTINGS = {
    "Policies": {"PasswordPolicy": {"MinimumLength": 14, "TemporaryPasswordValidityDays": 3}},
    "AutoVerifiedAttributes": ["email"],
    "VerificationMessageTemplate": {"DefaultEmailOption": "CONFIRM_WITH_CODE", "EmailMessage": "The code is {####}"},
    "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": False, "UnusedAccountValidityDays": 3},
    "AccountRecoverySetting": {"RecoveryMechanisms": [{"Priority": 1, "Name": "verified_email"}]},
    "DeviceConfiguration": {"ChallengeRequiredOnNewDevice": True, "DeviceOnlyRememberedOnUserPrompt": False},
    "UserAttributeUpdateSettings": {"AttributesRequireVerificationBeforeUpdate": ["email"]},
    "DeletionProtection": "ACTIVE",
    "UserPoolTags": {"team": "login"},
    "MfaConfiguration": "OPTIONAL",
    "LambdaConfig": {"PostConfirmation": "arn:aws:lambda:eu-north-1:000000000000:function:welcome"},
}


def run(stack: Stack, folder: Path) -> None:
    print("== the script `wire`, on a pool that exists")
    forgetful = serve_forgetful(stack.endpoint)
    cognito = boto3.client("cognito-idp", endpoint_url=forgetful)
    pool = cognito.create_user_pool(PoolName="old", **SETTINGS)["UserPool"]["Id"]
    cognito.set_user_pool_mfa_config(
        UserPoolId=pool, MfaConfiguration="OPTIONAL", SoftwareTokenMfaConfiguration={"Enabled": True}
    )
    client = cognito.create_user_pool_client(UserPoolId=pool, ClientName="app")["UserPoolClient"]["ClientId"]
    function = stack.outputs["FunctionAlias"]
    both = ["--pool", pool, "--function", function, "--trigger", "PreSignUp", "--trigger", "PreAuthentication"]

    def settings(pool: str = pool) -> dict:
        described = cognito.describe_user_pool(UserPoolId=pool)["UserPool"]
        described.pop("LastModifiedDate")
        # The other name of a setting of the password policy, which Cognito refuses beside it.
        described["AdminCreateUserConfig"].pop("UnusedAccountValidityDays", None)
        return {key: value for key, value in described.items() if value not in ({}, "")}

    def wire(*args: str) -> subprocess.CompletedProcess:
        environment = os.environ | {"AWS_ENDPOINT_URL": forgetful}
        command = [sys.executable, WIRE, *args]
        return subprocess.run(command, env=environment, cwd=folder, text=True, capture_output=True, stdin=subprocess.DEVNULL)

    def permissions() -> list:
        name, alias = function.split(":")[6:8]
        try:
            policy = stack.client("lambda").get_policy(FunctionName=name, Qualifier=alias)["Policy"]
        except ClientError:
            return []
        return [it for it in json.loads(policy)["Statement"] if it["Sid"] == f"cogwit-{pool}"]

    before = settings()
    with step("a pool that is updated without care loses its settings"):
        careless = cognito.create_user_pool(PoolName="careless", **SETTINGS)["UserPool"]["Id"]
        cognito.update_user_pool(UserPoolId=careless, LambdaConfig={"PreSignUp": function})
        lost = cognito.describe_user_pool(UserPoolId=careless)["UserPool"]
        kept = [key for key in SETTINGS if lost.get(key) == SETTINGS[key]]
        assert kept == [], kept
    with step("a dry run shows the difference, and changes nothing"):
        ran = wire(*both, "--dry-run")
        assert ran.returncode == 0 and f'+ PreSignUp: "{function}"' in ran.stdout, ran
        assert settings() == before and permissions() == [] and not list(folder.glob("wire-undo-*"))
    with step("without a yes, nothing is changed"):
        ran = wire(*both)
        assert ran.returncode == 1 and settings() == before and permissions() == [], ran
    with step("wired: both triggers, the permission of this pool alone, and every other setting as it was"):
        ran = wire(*both, "--yes")
        assert ran.returncode == 0, ran
        wired = before["LambdaConfig"] | {"PreSignUp": function, "PreAuthentication": function}
        assert settings() == before | {"LambdaConfig": wired}, settings()
        (permission,) = permissions()
        assert permission["Principal"] == {"Service": "cognito-idp.amazonaws.com"}, permission
        condition = json.dumps(permission["Condition"])
        assert f":userpool/{pool}" in condition and '"000000000000"' in condition, permission
    with step("the pool now asks the function"):
        try:
            cognito.sign_up(ClientId=client, Username="rroe", Password="Correct-horse-7-battery")
            raise AssertionError("signed up")
        except ClientError as error:
            assert TOO_SHORT in str(error), error
    with step("wired again: nothing to change"):
        ran = wire(*both, "--yes")
        assert ran.returncode == 0 and "stays as it is" in ran.stdout, ran
    with step("undone: the pool is what it was, and the permission is gone"):
        (undo,) = folder.glob("wire-undo-*")
        assert undo.stat().st_mode & 0o777 == 0o600
        ran = wire("--undo", str(undo), "--yes")
        assert ran.returncode == 0 and settings() == before and permissions() == [], ran
    with step("the trigger with versions, and one that is taken off"):
        ran = wire("--pool", pool, "--function", function, "--trigger", "PreTokenGenerationV2_0", "--dry-run")
        config = json.dumps({"LambdaVersion": "V2_0", "LambdaArn": function})
        assert f"+ PreTokenGenerationConfig: {config}" in ran.stdout, ran
        assert f'+ PreTokenGeneration: "{function}"' in ran.stdout, ran
        ran = wire("--pool", pool, "--function", function, "--remove", "PostConfirmation", "--dry-run")
        assert ran.returncode == 0 and "- PostConfirmation: " in ran.stdout and settings() == before, ran
    with step("a setting that is lost all the same is named"):
        second = cognito.create_user_pool(PoolName="second", **SETTINGS)["UserPool"]["Id"]
        LOST.add("UserPoolTags")
        ran = wire("--pool", second, "--function", function, "--trigger", "PreSignUp", "--yes")
        assert ran.returncode == 1 and "from the undo file: UserPoolTags\n" in ran.stderr, ran
    with step("refused: a custom sender, an ARN without an alias, a trigger that is none"):
        for wrong, name in [
            (["--pool", pool, "--function", function, "--trigger", "CustomEmailSender"], "would get no codes"),
            (["--pool", pool, "--function", function.rpartition(":")[0], "--trigger", "PreSignUp"], "ARN of an alias"),
            (["--pool", pool, "--function", function, "--trigger", "PreSingUp"], "no trigger of a user pool"),
        ]:
            ran = wire(*wrong, "--yes")
            assert ran.returncode == 2 and name in ran.stderr and settings() == before, ran


def serve_forgetful(endpoint: str) -> str:
    """Passes everything on to ministack. What an update of a pool leaves out, it takes away."""
    members = boto3.client("cognito-idp").meta.service_model.operation_model("UpdateUserPool").input_shape.members

    class Forgetful(BaseHTTPRequestHandler):
        def forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.headers.get("X-Amz-Target", "").endswith(".UpdateUserPool"):
                empty = {key: {} if shape.type_name == "structure" else None for key, shape in members.items()}
                empty = {key: value for key, value in empty.items() if key not in KEPT}
                body = json.dumps(empty | json.loads(body) | dict.fromkeys(LOST, {})).encode()
            headers = {key: value for key, value in self.headers.items() if key not in ("Content-Length", "Host")}
            request = urllib.request.Request(endpoint + self.path, body or None, headers, method=self.command)
            try:
                reply = urllib.request.urlopen(request, timeout=30)
            except urllib.error.HTTPError as error:
                reply = error
            answer = reply.read()
            self.send_response(reply.status)
            for key, value in reply.headers.items():
                if key.lower() not in ("content-length", "transfer-encoding", "connection"):
                    self.send_header(key, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = do_DELETE = forward

        def log_message(self, *_) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Forgetful)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"
