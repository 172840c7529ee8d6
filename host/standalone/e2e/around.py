"""What stands around a sign-in, through cognito-local: users of another directory, messages, and who came in."""

import re
import time
from pathlib import Path

from claims import both, read
from clients import Python, refusal
from cognito_local import CODE, PASSWORD, Pool, told
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from peers import step
from server import Server

SIGN_UP = ("PreSignUp_SignUp", "CustomMessage_SignUp", "PostConfirmation_ConfirmSignUp")
SIGN_IN = ("PostAuthentication_Authentication", "TokenGeneration_Authentication")
MIGRATION = "UserMigration_Authentication"


def users() -> str:
    """The list of another directory, with a user."""
    argon2 = Argon2id(salt=b"salt-of-16-bytes", length=32, iterations=1, lanes=1, memory_cost=7168)
    verifier = argon2.derive_phc_encoded(PASSWORD.encode())
    return f"mira.legacy {verifier} username=mira.legacy email=mira@example.com name=Mira%20Holm"


def run(server: Server, endpoint: str, folder: Path) -> None:
    print("== users of another directory, messages and audit, through cognito-local")
    with step("a pool is made", needed=True):
        pool = Pool(Python(), endpoint)
    migrating(server, pool)
    messages(server, pool, folder / f"cognito-local-{endpoint.rpartition(':')[2]}.log")
    auditing(server, pool)
    with step("the records hold no password, no verifier and no code"):
        said = server.out.read_text() + server.log.read_text()
        assert MIGRATION in said and not [secret for secret in (PASSWORD, "a-guess", "argon2id", CODE) if secret in said]


def migrating(server: Server, pool: Pool) -> None:
    # Cognito takes what comes back as it went for nobody. cognito-local makes a user of it, who is nobody's.
    with step("a wrong password, and a name that is not in the list: nothing of the user"):
        with told(server, *(MIGRATION, *SIGN_IN) * 2) as records:
            tokens = [pool.sign_in("mira.legacy", "a-guess"), pool.sign_in("stranger", PASSWORD)]
        for token in tokens:
            token = read(pool, token["IdToken"])
            assert token["cognito:username"] != "mira.legacy" and "email" not in token, token
        for record in records[::3]:
            (policy,) = record["policies"]
            assert "set" not in policy and policy["log"][0]["message"] == "nobody is vouched for", record
    with step("the right password: the user of the list, confirmed, and asked about once"):
        with told(server, MIGRATION, *SIGN_IN, *SIGN_IN):
            for _ in range(2):
                identity, access = both(pool, pool.sign_in("mira.legacy"))
                assert identity["cognito:username"] == access["username"] == "mira.legacy", (identity, access)
        assert pool.users()["mira.legacy"] == "CONFIRMED", pool.users()
        attributes = pool.call("AdminGetUser", UserPoolId=pool.id, Username="mira.legacy")["UserAttributes"]
        attributes = {attribute["Name"]: attribute["Value"] for attribute in attributes}
        assert (attributes["email"], attributes["name"]) == ("mira@example.com", "Mira Holm"), attributes
        refusal(pool.sign_in, "mira.legacy", "a-guess")


def messages(server: Server, pool: Pool, log: Path) -> None:
    def sent(name: str) -> dict[str, str]:
        """The message to a user, as cognito-local shows it, which may be after its answer."""
        until = time.monotonic() + 5
        while True:
            boxes = log.read_text().split("Confirmation Code Delivery")
            boxes = [dict(re.findall(r"│ +([A-Z][A-Za-z ]*): +(.*?) +│", box)) for box in boxes]
            if of_user := [box for box in boxes if box.get("Username") == name]:
                return of_user[-1]
            assert time.monotonic() < until, boxes
            time.sleep(0.02)

    with step("messages in the set's words, in the user's language, with the code"), told(server, *SIGN_UP * 2):
        pool.sign_up("kaia.norsk", locale="nb-NO")
        pool.sign_up("oliver")
        message = sent("kaia.norsk")
        assert (message["Email Subject"], message["Email Message"]) == ("Velkommen", f"Koden din er {CODE}"), message
        message = sent("oliver")
        assert message["Email Message"] == f"Your code is {CODE}" and "Email Subject" not in message, message
    with step("an invitation in words of its own"), told(server, "CustomMessage_AdminCreateUser"):
        made = {"Username": "made-user", "UserAttributes": [{"Name": "email", "Value": "made@example.com"}]}
        pool.call("AdminCreateUser", UserPoolId=pool.id, DesiredDeliveryMediums=["EMAIL"], TemporaryPassword="Begin-7", **made)
        assert sent("made-user")["Email Message"] == "Hello made-user, begin with Begin-7", sent("made-user")


def auditing(server: Server, pool: Pool) -> None:
    sources = ("CustomMessage_ForgotPassword", "PostConfirmation_ConfirmForgotPassword")
    with step("who was confirmed, and who signed in: a line in the record, without the values"):
        with told(server, *SIGN_UP, *SIGN_IN, *sources) as records:
            pool.sign_up("audited")
            pool.sign_in("audited")
            of = {"ClientId": pool.app, "Username": "audited"}
            pool.call("ForgotPassword", **of)
            pool.call("ConfirmForgotPassword", ConfirmationCode=CODE, Password="Another-horse-7", **of)
        lines = [line["message"] for record in records for policy in record["policies"] for line in policy.get("log", [])]
        has = f"client={pool.app} has=email lacks=phone_number"
        assert lines == [f"{what}: {has}" for what in ("confirmed", "signed in", "password reset")], lines
