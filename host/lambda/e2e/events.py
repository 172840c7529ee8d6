"""Makes events as Cognito sends them."""

import json

BLOCKED = "<user pool app client id to be blocked>"
TOO_SHORT = "Cannot register users with username less than the minimum length of 5"
CLIENT_BLOCKED = "Cannot authenticate users from this user pool app client"


def event(source: str, client: str = "6f1vq0d8n3r5t2jc9hm4sbe7pa", **response) -> dict:
    return {
        "version": "1",
        "region": "eu-north-1",
        "userPoolId": "eu-north-1_k7Qm2ZxTb",
        "userName": "ingrid",
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": client},
        "triggerSource": source,
        "request": {"userAttributes": {"email": "ingrid.o@fjordmail.example"}, "validationData": None},
        "response": response,
    }


def body(of: dict) -> bytes:
    return json.dumps(of).encode()
