"""Signs users in by a key of their device, as a client of a pool does."""

import base64

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def text(of: bytes) -> str:
    return base64.b64encode(of).decode()


class Device:
    """A device with a key, whose public half stands in an attribute of the user."""

    def __init__(self):
        self.key = Ed25519PrivateKey.generate()
        self.attribute = {"Name": "custom:device_key", "Value": text(self.key.public_key().public_bytes_raw())}

    def sign(self, pool: str, user: str, nonce: str) -> str:
        return text(self.key.sign(f"cogwit-device-key-v1:{pool}:{user}:{nonce}".encode()))


class SignIn:
    """A sign-in by challenges. `call` sends the calls to the pool."""

    def __init__(self, call, app: str, user: str, **parameters: str):
        self.call, self.app, self.user = call, app, user
        parameters = {"USERNAME": user} | parameters
        self.told = call("InitiateAuth", ClientId=app, AuthFlow="CUSTOM_AUTH", AuthParameters=parameters)

    @property
    def nonce(self) -> str:
        """What is to be signed, after it was asked for."""
        asked = self.told["ChallengeParameters"]
        assert (self.told["ChallengeName"], asked["challenge"]) == ("CUSTOM_CHALLENGE", "DEVICE_KEY"), self.told
        return asked["nonce-v1"]

    def answer(self, answer: str) -> dict | None:
        """The tokens, if the answer is right."""
        responses = {"USERNAME": self.user, "ANSWER": answer}
        given = {"ClientId": self.app, "ChallengeName": "CUSTOM_CHALLENGE", "ChallengeResponses": responses}
        self.told = self.call("RespondToAuthChallenge", Session=self.told["Session"], **given)
        return self.told.get("AuthenticationResult")
