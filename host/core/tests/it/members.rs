//! Changes one member of an event after the other, and sees what the shipped policies make of it.

use std::fs;
use std::time::SystemTime;

use cogwit_core::case::ID;
use cogwit_core::event::{MemberPath, Object, Trigger, example, examples};
use cogwit_core::run::Chance;
use cogwit_core::store::PolicySet;
use cogwit_core::{Call, Decision, decide};

use crate::scenario;
use crate::support::set_of;

/// An event, the policy that answers it with lines for it, what the event has beside its example, and members with another
/// value for each, which must not leave the answer as it was.
struct Shown {
    source: &'static str,
    policy: &'static str,
    lines: &'static str,
    with: &'static [(&'static str, &'static str)],
    changes: &'static [(&'static str, &'static str)],
}

const KEY: &str = r#""6kpsY+KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7qaRRG0iw=""#;
const NONCE: &str = r#""AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=""#;
/// Of that nonce by that key.
const SIGNATURE: &str = r#""GUv+zXG9AokBDd4mkO1a7jIMdmruGKSyhvvNFTHX1tDaXimqL/keBx/cmJ5pjhwmEJyuj6t45Is5EzO0/rGXAg==""#;
const ONCE_WRONG: &str =
    r#"[{"challengeName":"CUSTOM_CHALLENGE","challengeResult":false,"challengeMetadata":"DEVICE_KEY"}]"#;
const RANDOM: &str = "capabilities = ['random']";
const AUDIT: &str = "settings = { attributes = 'email, phone_number, IP_ADDRESS', metadata = 'k' }";
const CLAIMS: &str =
    "settings = { claims = 'tenant=custom:tenant', groups-claim = 'teams', group-scopes = 'harbour-crew=ledger/read' }";
const GROUPS: (&str, &str) = ("request.groupConfiguration", r#"{"groupsToOverride":["night-shift"]}"#);
const NO_USER: (&str, &str) = ("request.userNotFound", "true");

const SHOWN: [Shown; 16] = [
    Shown {
        source: "PreSignUp_SignUp",
        policy: "auto-confirm-verify",
        lines: "",
        with: &[],
        changes: &[
            ("request.userAttributes.email", "null"),
            ("request.userAttributes.phone_number", r#""+4722222222""#),
        ],
    },
    Shown {
        source: "PreSignUp_SignUp",
        policy: "access-gate",
        lines: "settings = { invitation-codes = 'WREN-7731', refused-domains = 'throwaway.example' }",
        with: &[("request.validationData", r#"{"inviteCode":"WREN-7731"}"#)],
        changes: &[
            ("request.validationData.inviteCode", r#""other""#),
            ("request.userAttributes.email", r#""a@throwaway.example""#),
        ],
    },
    Shown {
        source: "PostConfirmation_ConfirmSignUp",
        policy: "audit-trail",
        lines: AUDIT,
        with: &[],
        changes: &[("request.userAttributes.email", "null"), ("request.clientMetadata.k", r#""v""#)],
    },
    Shown {
        source: "PreAuthentication_Authentication",
        policy: "sign-in-hours",
        lines: "capabilities = ['clock']\nsettings = { hours = '00:00-00:00', clients = '6f1vq0d8n3r5t2jc9hm4sbe7pa', override-codes = 'KEEL-88' }",
        with: &[],
        changes: &[("request.validationData", r#"{"override":"KEEL-88"}"#), ("callerContext.clientId", r#""other""#)],
    },
    Shown {
        source: "PostAuthentication_Authentication",
        policy: "audit-trail",
        lines: AUDIT,
        with: &[],
        changes: &[("request.newDeviceUsed", "true"), ("request.userAttributes.email", "null")],
    },
    Shown {
        source: "DefineAuthChallenge_Authentication",
        policy: "device-key",
        lines: RANDOM,
        with: &[("request.session", r#"[{"challengeName":"CUSTOM_CHALLENGE","challengeResult":true}]"#)],
        changes: &[("request.session", ONCE_WRONG), NO_USER],
    },
    Shown {
        source: "CreateAuthChallenge_Authentication",
        policy: "device-key",
        lines: RANDOM,
        with: &[("request.session", "[]")],
        changes: &[("request.session", ONCE_WRONG), ("request.challengeName", r#""OTHER""#)],
    },
    Shown {
        source: "VerifyAuthChallengeResponse_Authentication",
        policy: "device-key",
        lines: RANDOM,
        with: &[
            ("request.userAttributes.custom:device_key", KEY),
            ("request.privateChallengeParameters", "{}"),
            ("request.privateChallengeParameters.nonce-v1", NONCE),
            ("request.challengeAnswer", SIGNATURE),
        ],
        changes: &[
            ("request.privateChallengeParameters.nonce-v1", r#""bm9uY2U=""#),
            ("request.challengeAnswer", r#""bm9uZQ==""#),
            ("request.userAttributes.custom:device_key", NONCE),
            NO_USER,
            ("userName", r#""another""#),
        ],
    },
    Shown {
        source: "TokenGeneration_AuthenticateDevice",
        policy: "token-claims",
        lines: CLAIMS,
        with: &[],
        changes: &[("request.userAttributes.custom:tenant", r#""other""#), GROUPS],
    },
    Shown {
        source: "TokenGeneration_Authentication",
        policy: "token-claims",
        lines: CLAIMS,
        with: &[],
        changes: &[
            ("request.userAttributes.custom:tenant", r#""other""#),
            GROUPS,
            ("request.scopes", r#"["ledger/read"]"#),
        ],
    },
    Shown {
        source: "UserMigration_Authentication",
        policy: "import-users",
        lines: concat!(
            "settings = { users = 'legacy_åse $argon2id$v=19$m=64,t=1,p=1$c2FsdC1vZi0xNi1ieXRlcw$",
            "ElyvfDuuXHf9gps/fBs4F3CqRtSPdibLxxKAS9H5OAA email=aase@fjord.example email_verified=true' }"
        ),
        with: &[],
        changes: &[("request.password", r#""wrong""#), ("userName", r#""another""#)],
    },
    Shown {
        source: "CustomMessage_SignUp",
        policy: "branded-messages",
        lines: "settings = { email = 'Your code is {code}', 'email.nb' = 'Koden din er {code}' }",
        with: &[],
        changes: &[
            ("request.codeParameter", r#""{##other##}""#),
            ("request.userAttributes.locale", r#""nb-NO""#),
            ("request.clientMetadata", r#"{"lang":"nb"}"#),
        ],
    },
    Shown {
        source: "CustomEmailSender_SignUp",
        policy: "audit-trail",
        lines: AUDIT,
        with: &[],
        changes: &[("request.code", "null"), ("request.userAttributes.email", "null")],
    },
    Shown {
        source: "CustomEmailSender_AccountTakeOverNotification",
        policy: "audit-trail",
        lines: AUDIT,
        with: &[],
        changes: &[("request.userAttributes.IP_ADDRESS", "null"), ("request.clientMetadata", r#"{"k":"v"}"#)],
    },
    Shown {
        source: "CustomSMSSender_SignUp",
        policy: "audit-trail",
        lines: AUDIT,
        with: &[],
        changes: &[("request.code", "null"), ("request.userAttributes.phone_number", "null")],
    },
    Shown {
        source: "InboundFederation_ExternalProvider",
        policy: "federation-map",
        lines: "settings = { attributes = 'email=email, given_name=given_name', providers = 'Northwind' }",
        with: &[],
        changes: &[
            ("request.providerName", r#""Other""#),
            ("request.attributes.idToken.email", r#""other@northwind.example""#),
            ("request.attributes.userInfo.given_name", "null"),
        ],
    },
];

fn with(event: &str, changes: &[(&str, &str)]) -> String {
    changes
        .iter()
        .fold(event.to_owned(), |event, (path, value)| path.parse::<MemberPath>().unwrap().set(&event, value).unwrap())
}

fn set(shown: &Shown) -> PolicySet {
    let file = scenario::policies_wasm().join(format!("{}.wasm", shown.policy));
    let patient = "limits = { deadline = '30 s' }\n[limits]\nchain-deadline = '60 s'";
    set_of(&fs::read(file).unwrap(), &format!("{}\n{patient}", shown.lines)).unwrap()
}

/// The decision, by random numbers that are the same each time.
fn decision(set: &PolicySet, event: &str) -> Decision {
    let chance = Chance { now: SystemTime::UNIX_EPOCH, seed: Some(7) };
    decide(set, &Call::new(event.as_bytes(), ID, chance))
}

/// What the policy answered, and what it wrote where there is nothing to answer.
fn told(decision: &Decision) -> String {
    assert!(!decision.is_broken(), "{decision:?}");
    let [run] = decision.runs.as_slice() else { panic!("{decision:?}") };
    let has_outputs = !matches!(
        decision.trigger,
        Some(
            Trigger::PostConfirmation
                | Trigger::PostAuthentication
                | Trigger::CustomEmailSender
                | Trigger::CustomSmsSender
        )
    );
    let lines = if has_outputs { None } else { Some(&run.logs) };
    format!("{:?} {lines:?}", run.verdict)
}

#[test]
fn a_shipped_policy_reads_two_members_of_each_trigger() {
    for trigger in Trigger::all() {
        assert!(SHOWN.iter().any(|shown| example_of(shown.source).1 == trigger), "{trigger}");
    }
    for shown in &SHOWN {
        let (set, event) = (set(shown), with(example(shown.source).unwrap(), shown.with));
        let before = told(&decision(&set, &event));
        assert_eq!(told(&decision(&set, &event)), before, "{} is not the same each time", shown.source);
        assert!(shown.changes.len() >= 2);
        for change in shown.changes {
            let after = told(&decision(&set, &with(&event, &[*change])));
            assert_ne!(after, before, "{} does not see `{}`", shown.policy, change.0);
        }
    }
}

fn example_of(source: &str) -> (&'static str, Trigger) {
    examples().find(|(name, _)| *name == source).unwrap()
}

#[test]
fn a_closed_pool_tells_nobody_who_exists() {
    let shown = SHOWN.iter().find(|shown| shown.policy == "sign-in-hours").unwrap();
    let (set, event) = (set(shown), example(shown.source).unwrap());
    let nobody = with(event, &[NO_USER, ("request.userAttributes", "null")]);
    let (one, other) = (decision(&set, event), decision(&set, &nobody));
    assert!(one.reply.is_err());
    assert_eq!(one.body(), other.body());
}

#[test]
fn every_event_comes_back_as_it_was_but_for_what_was_set() {
    let mut set_something = 0;
    for (source, trigger) in examples() {
        let shown = SHOWN.iter().find(|shown| example_of(shown.source).1 == trigger).unwrap();
        // What is refused has no reply: one change on, it is allowed.
        let tries = [shown.with.to_vec(), [shown.with, &shown.changes[..1]].concat()];
        let decided = tries.iter().map(|changes| with(example(source).unwrap(), changes)).find_map(|event| {
            let reply = decision(&set(shown), &event).reply.ok()?;
            Some((event, String::from_utf8(reply).unwrap()))
        });
        let (event, reply) = decided.unwrap_or_else(|| panic!("{source} is refused"));
        let response = |text| Object::parse(text, "it").unwrap().get("response").map(str::to_owned);
        let restored = match (response(&reply), response(&event)) {
            (Some(new), Some(old)) => {
                set_something += usize::from(new != old);
                let at = reply.rfind(&new).unwrap();
                format!("{}{old}{}", &reply[..at], &reply[at + new.len()..])
            }
            _ => reply,
        };
        assert_eq!(restored, event, "{source}");
    }
    assert!(set_something > 15, "only {set_something} events got an answer");
}
