"""Decides a sign-up in Python: the rule of the policy deny-short-username."""


def handler(event, context):
    if len(event.get("userName") or "") < 5:
        raise Exception("Cannot register users with username less than the minimum length of 5")
    return event
