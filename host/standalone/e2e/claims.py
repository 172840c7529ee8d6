"""Reads what a policy put into tokens, and took out of them: version 2 of ministack, version 1 of both peers."""

import jwt
from clients import Python, refusal
from cognito_local import Pool, told
from peers import step
from proxied import function
from server import Server

API = "aws.cognito.signin.user.admin"
SIGN_IN, REFRESH = "TokenGeneration_Authentication", "TokenGeneration_RefreshTokens"
SCHEMA = [{"Name": name, "AttributeDataType": "String", "Mutable": True} for name in ("domain", "tenant")]
TENANT = [{"Name": "custom:tenant", "Value": "fjord-42"}]


def read(pool: Pool, token: str) -> dict:
    """The claims, once a key that the pool publishes was found to have signed them."""
    key = jwt.PyJWKClient(f"{pool.endpoint}/{pool.id}/.well-known/jwks.json").get_signing_key_from_jwt(token)
    return jwt.decode(token, key, ["RS256"], options={"verify_aud": False})


def both(pool: Pool, tokens: dict) -> tuple[dict, dict]:
    return read(pool, tokens["IdToken"]), read(pool, tokens["AccessToken"])


def refreshed(pool: Pool, tokens: dict) -> dict:
    return pool.authenticate("REFRESH_TOKEN_AUTH", REFRESH_TOKEN=tokens["RefreshToken"])


def joins(pool: Pool, name: str, *groups: str) -> None:
    """A user of a tenant, and of groups."""
    of = {"UserPoolId": pool.id, "Username": name}
    assert pool.sign_up(name) is True
    pool.call("AdminUpdateUserAttributes", UserAttributes=TENANT, **of)
    for group in groups:
        pool.call("CreateGroup", UserPoolId=pool.id, GroupName=group)
        pool.call("AdminAddUserToGroup", GroupName=group, **of)


def by_ministack(server: Server, endpoint: str, arn: str) -> None:
    print("== claims and scopes in ministack's tokens")

    def made(name: str, **triggers) -> Pool:
        with step(f"{name}: a pool, and a user of two groups", needed=True):
            pool = Pool(Python(), endpoint, Schema=SCHEMA, LambdaConfig={"PreSignUp": arn} | triggers)
            joins(pool, "ingrid", "finance", "sales")
        return pool

    pool = made("version 2", PreTokenGenerationConfig={"LambdaVersion": "V2_0", "LambdaArn": arn})
    # Cognito asks once for both tokens, ministack for each.
    with step("at a sign-in and a refresh: claims and groups in both tokens, a group's scopes, and no e-mail"):
        with told(server, SIGN_IN, SIGN_IN, REFRESH, REFRESH):
            tokens = pool.sign_in("ingrid")
            again = refreshed(pool, tokens)
        for identity, access in (both(pool, tokens), both(pool, again)):
            assert identity["cognito:username"] == access["username"] == "ingrid", (identity, access)
            for token in (identity, access):
                assert (token["tenant"], token["teams"]) == ("fjord-42", ["finance", "sales"]), token
            assert identity["email_verified"] is True and "email" not in identity, identity
            assert access["scope"].split() == [API, "ledger/read", "ledger/write"], access
    assert pool.sign_up("oliver") is True
    with step("who has neither a tenant nor groups: nothing but what was there"), told(server, SIGN_IN, SIGN_IN):
        identity, access = both(pool, pool.sign_in("oliver"))
        assert not {"tenant", "teams"} & (identity.keys() | access.keys()) and access["scope"] == API, (identity, access)
    pool = made("version 1", PreTokenGeneration=arn)
    with step("the same component: the ID token alone, and its groups as text"), told(server, SIGN_IN):
        identity, access = both(pool, pool.sign_in("ingrid"))
        assert (identity["tenant"], identity["teams"]) == ("fjord-42", "finance,sales"), identity
        assert "email" not in identity and not {"tenant", "teams"} & access.keys() and access["scope"] == API, access
    with step("a function that fails: no tokens"):
        broken = function(endpoint, "broken", f"{server.endpoint}/decide/nothing")
        pool = Pool(Python(), endpoint, LambdaConfig={"PreSignUp": arn, "PreTokenGeneration": broken})
        pool.sign_up("ingrid")
        refused = refusal(pool.sign_in, "ingrid")
        assert "PreTokenGeneration" in refused.message, refused


def by_cognito_local(server: Server, endpoint: str) -> None:
    print("== claims in cognito-local's tokens")
    with step("a pool, and a user of a group", needed=True):
        pool = Pool(Python(), endpoint, Schema=SCHEMA)
        joins(pool, "ingrid", "finance")
    # It names no groups to the trigger.
    with (
        step("version 1, at a sign-in and a refresh: the claim in the ID token, and no e-mail"),
        told(server, "PostAuthentication_Authentication", SIGN_IN, REFRESH),
    ):
        tokens = pool.sign_in("ingrid")
        for got in (tokens, refreshed(pool, tokens)):
            identity, access = both(pool, got)
            assert identity["tenant"] == "fjord-42" and "email" not in identity, identity
            assert identity["cognito:username"] == access["username"] == "ingrid" and "tenant" not in access, access
