//! Breaks each of Cognito's rules once, and sees what comes of it and that the mended answer passes.

use std::sync::LazyLock;

use cogwit_core::case::ID;
use cogwit_core::event::{MemberPath, OnFault, Trigger, example};
use cogwit_core::policy::SettingValue;
use cogwit_core::run::Chance;
use cogwit_core::store::{Package, PolicySet};
use cogwit_core::{Call, Decision, Outcome, decide};

use crate::scenario;
use crate::support::{admit, package_of};

/// Paths, and what stands there.
type Members<'a> = &'a [(&'a str, &'a str)];

/// What must come of an answer that breaks a rule.
enum Comes<'a> {
    /// A fault that has these words.
    Refused(&'a str),
    /// A warning with this code, which has these words.
    Warned(&'a str, &'a str),
}
use Comes::{Refused, Warned};

/// A trigger source, what differs from its example, the answer that breaks a rule, what comes of it, and the mended answer.
type Row<'a> = (&'a str, Members<'a>, Members<'a>, Comes<'a>, Members<'a>);

static SCRIPTED: LazyLock<Package> = LazyLock::new(|| {
    let component = std::fs::read(scenario::policies_wasm().join("scripted.wasm")).unwrap();
    package_of(&component, "limits = { deadline = '2 s' }")
});

/// Keeps the component compiled.
static SILENT: LazyLock<PolicySet> = LazyLock::new(|| admit(&SCRIPTED).unwrap());

/// What is decided where the policy answers this.
fn answered(source: &str, changes: Members<'_>, answer: Members<'_>) -> Decision {
    let set =
        |event: String, (path, json): &(&str, &str)| path.parse::<MemberPath>().unwrap().set(&event, json).unwrap();
    let event = changes.iter().fold(example(source).unwrap().to_owned(), set);
    assert_eq!(SILENT.policies.len(), 1);
    let mut package = SCRIPTED.clone();
    let text = |(path, value): &(&str, &str)| ((*path).to_owned(), SettingValue::Text((*value).to_owned()));
    package.document.policies[0].settings = answer.iter().map(text).collect();
    let call = Call::new(event.as_bytes(), ID, Chance::real());
    decide(&admit(&package).unwrap(), &call)
}

fn hold(rows: &[Row<'_>]) {
    for (source, changes, broken, comes, mended) in rows {
        let decision = answered(source, changes, broken);
        let faults: Vec<_> = decision.faults().map(ToString::to_string).collect();
        let told: Vec<_> = decision.warnings.iter().map(|it| (it.code, it.text.as_str())).collect();
        match comes {
            Refused(words) => {
                assert!(faults.len() == 1 && faults[0].contains(words), "{source} {broken:?}: {words}: {faults:?}");
            }
            Warned(code, words) => {
                assert!(faults.is_empty() && decision.outcome == Outcome::Allow, "{source} {broken:?}: {faults:?}");
                let found = told.iter().any(|(found, text)| found == code && text.contains(words));
                assert!(found, "{source} {broken:?}: {code}, {words}: {told:?}");
            }
        }
        let decision = answered(source, changes, mended);
        let told: Vec<_> = decision.warnings.iter().map(|it| it.code).filter(|code| *code != "moves-alias").collect();
        assert_eq!((&decision.outcome, told), (&Outcome::Allow, vec![]), "{source} {mended:?}: {decision:?}");
        assert_eq!(decision.faults().count(), 0, "{source} {mended:?}");
    }
}

#[test]
fn pre_sign_up() {
    let (confirm, email, phone) =
        (("autoConfirmUser", "true"), ("autoVerifyEmail", "true"), ("autoVerifyPhone", "true"));
    let both = [("request.userAttributes.phone_number", "\"+4791234567\"")];
    let nobody = [("request.userAttributes", "{}")];
    let null = [("request.userAttributes.email", "null")];
    hold(&[
        (
            "PreSignUp_SignUp",
            &nobody,
            &[confirm, email],
            Refused("`autoVerifyEmail` for a user without `email`"),
            &[confirm],
        ),
        (
            "PreSignUp_SignUp",
            &null,
            &[confirm, email],
            Refused("`autoVerifyEmail` for a user without `email`"),
            &[confirm],
        ),
        (
            "PreSignUp_SignUp",
            &[],
            &[confirm, phone],
            Refused("`autoVerifyPhone` for a user without `phone_number`"),
            &[confirm],
        ),
        ("PreSignUp_SignUp", &[], &[email], Refused("`autoVerifyEmail` without `autoConfirmUser`"), &[confirm, email]),
        (
            "PreSignUp_SignUp",
            &both,
            &[phone],
            Refused("`autoVerifyPhone` without `autoConfirmUser`"),
            &[confirm, phone],
        ),
        ("PreSignUp_SignUp", &both, &[confirm, email], Warned("moves-alias", "`email`"), &[confirm]),
        ("PreSignUp_SignUp", &both, &[confirm, phone], Warned("moves-alias", "`phone_number`"), &[confirm]),
        (
            "PreSignUp_ExternalProvider",
            &nobody,
            &[email],
            Refused("`autoVerifyEmail` for a user without `email`"),
            &[confirm],
        ),
        ("PreSignUp_AdminCreateUser", &[], &[confirm], Warned("ignored", "`PreSignUp_AdminCreateUser`"), &[]),
        ("PreSignUp_AdminCreateUser", &nobody, &[email], Warned("ignored", "`PreSignUp_AdminCreateUser`"), &[]),
    ]);
}

#[test]
fn challenges() {
    let (define, create) = ("DefineAuthChallenge_Authentication", "CreateAuthChallenge_Authentication");
    let verify = "VerifyAuthChallengeResponse_Authentication";
    let nobody = [("request.userNotFound", "true")];
    let (issue, fail) = (("issueTokens", "true"), ("failAuthentication", "true"));
    let custom = ("challengeName", "CUSTOM_CHALLENGE");
    let correct = ("answerCorrect", "true");
    hold(&[
        (define, &[], &[issue, fail], Warned("tokens-and-end", "`issueTokens` is left out"), &[fail]),
        (define, &nobody, &[issue], Warned("user-not-found", "`issueTokens` is true"), &[custom]),
        (define, &[], &[issue, custom], Warned("tokens-and-challenge", "`issueTokens` is true beside"), &[custom]),
        (define, &[], &[("challengeName", "SMS_MFA")], Warned("challenge-name", "`SMS_MFA`"), &[custom]),
        (
            define,
            &[],
            &[("challengeName", "x")],
            Warned("challenge-name", "`x`"),
            &[("challengeName", "PASSWORD_VERIFIER")],
        ),
        (define, &[], &[], Warned("no-step", "no policy chose a step"), &[issue]),
        (define, &[], &[("issueTokens", "false")], Warned("no-step", "no policy chose a step"), &[fail]),
        (
            create,
            &[],
            &[("publicChallengeParameters.nonce", "n")],
            Warned("nothing-to-verify", "`privateChallengeParameters`"),
            &[("privateChallengeParameters.answer", "n")],
        ),
        (
            verify,
            &nobody,
            &[correct],
            Warned("user-not-found", "`answerCorrect` is true for a user who does not exist"),
            &[("answerCorrect", "false")],
        ),
    ]);
}

const V1: &str = "TokenGeneration_NewPasswordChallenge";
const V2: &str = "TokenGeneration_Authentication";

/// The claims that nothing can change, beside those with Cognito's prefix.
const PROTECTED: [&str; 20] = [
    "username",
    "sub",
    "identities",
    "client_id",
    "event_id",
    "device_key",
    "version",
    "acr",
    "amr",
    "at_hash",
    "auth_time",
    "azp",
    "exp",
    "iat",
    "iss",
    "jti",
    "nbf",
    "nonce",
    "origin_jti",
    "token_use",
];

#[test]
fn claims_that_cannot_be_changed() {
    for name in PROTECTED.into_iter().chain(["cognito:username", "cognito:anything", "dev:tier", "aud"]) {
        let added = format!("claimsToAddOrOverride.{name}");
        let of = |token: &str| format!("{token}TokenGeneration.{added}");
        let warns = |source, member: &str, value| {
            hold(&[(source, &[], &[(member, value)], Warned("protected-claim", name), &[])]);
        };
        warns(V1, &added, "x");
        warns(V2, &of("id"), "x");
        if name != "aud" {
            warns(V2, &of("access"), "x");
        }
        if !name.starts_with("dev:") {
            warns(V1, "claimsToSuppress", name);
            warns(V2, "idTokenGeneration.claimsToSuppress", name);
        }
    }
    let (id, access) = ("idTokenGeneration.claimsToSuppress", "accessTokenGeneration.claimsToSuppress");
    let mended = "dev:tier, email, cognito:groups, cognito:roles, cognito:preferred_role";
    for (source, member) in [(V1, "claimsToSuppress"), (V2, id), (V2, access)] {
        for role in ["cognito:roles", "cognito:preferred_role"] {
            hold(&[(source, &[], &[(member, role)], Warned("ignored", role), &[(member, mended)])]);
        }
    }
}

/// That a claim of version 1 is a text, and a group or a scope too, is in the types.
#[test]
fn tokens() {
    let client = [("callerContext.clientId", "\"app-7731\"")];
    let aud = "accessTokenGeneration.claimsToAddOrOverride.aud";
    let scopes = "accessTokenGeneration.scopesToAdd";
    let (x, y) = ("idTokenGeneration.claimsToAddOrOverride.x", "accessTokenGeneration.claimsToAddOrOverride.x");
    let groups = ("groupOverrideDetails.groupsToOverride", "harbour-crew");
    let role = ("groupOverrideDetails.preferredRole", "arn:aws:iam::210987654321:role/harbour-crew");
    let only_client = "`aud` of an access token only where it is the app client's id";
    hold(&[
        (V2, &client, &[(aud, "another")], Refused(only_client), &[(aud, "app-7731")]),
        (V2, &client, &[(aud, "list:app-7731")], Refused(only_client), &[(aud, "json:\"app-7731\"")]),
        (V2, &[], &[(scopes, "a/b, c d")], Refused("the scope `c d`, which holds a space"), &[(scopes, "a/b, c/d")]),
        (V2, &[], &[(x, "number:NaN")], Refused("`x` is NaN, which JSON does not have"), &[(x, "number:0.5")]),
        (V2, &[], &[(y, "number:inf")], Refused("`x` is inf, which JSON does not have"), &[(y, "integer:7")]),
        (V2, &[], &[(x, "json:{")], Refused("the claim `x` is no JSON"), &[(x, "json:{}")]),
        (V2, &[], &[(y, "json:1 2")], Refused("the claim `x` is no JSON"), &[(y, "json:[1, 2]")]),
        (V2, &[], &[(x, "json:null")], Warned("null-claim", "`x` of the ID token"), &[(x, "null")]),
        (V2, &[], &[(y, "json: null ")], Warned("null-claim", "`x` of the access token"), &[(y, "boolean:true")]),
        (V1, &[], &[("groupOverrideDetails", "")], Warned("no-groups", "`groupOverrideDetails`"), &[groups]),
        (V2, &[], &[("groupOverrideDetails", "")], Warned("no-groups", "`groupOverrideDetails`"), &[groups]),
        (V2, &[], &[role], Warned("no-groups", "`groupOverrideDetails`"), &[groups, role]),
    ]);
    for name in ["phone_number_verified", "email_verified", "updated_at", "address"] {
        let [id, access] = ["id", "access"].map(|token| format!("{token}TokenGeneration.claimsToAddOrOverride.{name}"));
        let words = format!("a list or an object as `{name}` of the ID token");
        for complex in ["list:a", "json:[]", "json: {}"] {
            hold(&[(V2, &[], &[(&id, complex)], Refused(&words), &[(&id, "boolean:true"), (&access, complex)])]);
        }
    }
}

#[test]
fn a_claim_that_is_added_and_suppressed_is_suppressed() {
    for (source, prefix) in [(V1, ""), (V2, "idTokenGeneration."), (V2, "accessTokenGeneration.")] {
        let [tier, seat] = ["tier", "seat"].map(|name| format!("{prefix}claimsToAddOrOverride.{name}"));
        let suppressed = format!("{prefix}claimsToSuppress");
        let decision = answered(source, &[], &[(&tier, "gold"), (&seat, "1"), (&suppressed, "tier")]);
        let reply = String::from_utf8(decision.reply.unwrap()).unwrap();
        assert!(decision.warnings.is_empty(), "{source}: {:?}", decision.warnings);
        assert!(reply.contains(r#"{"claimsToAddOrOverride":{"seat":"1"},"claimsToSuppress":["tier"]}"#), "{reply}");
    }
}

#[test]
fn user_migration() {
    let (signs_in, forgot) = ("UserMigration_Authentication", "UserMigration_ForgotPassword");
    let typed = [("userName", "\"mira@legacy.example\"")];
    let (name, other) = (("userAttributes.username", "legacy_åse"), ("userAttributes.username", "mira"));
    let (email, verified) =
        (("userAttributes.email", "mira@legacy.example"), ("userAttributes.email_verified", "true"));
    let (phone, called) = (("userAttributes.phone_number", "+4791"), ("userAttributes.phone_number_verified", "true"));
    let (unverified, preferred) =
        (("userAttributes.email_verified", "false"), ("userAttributes.preferred_username", "mira@legacy.example"));
    let (confirmed, mfa) = (("finalUserStatus", "CONFIRMED"), ("enableSMSMFA", "true"));
    let (long, most) = ("x".repeat(2049), "x".repeat(2048));
    let needs = "a forgotten password's code only to a verified e-mail or phone";
    hold(&[
        (signs_in, &[], &[confirmed], Warned("ignored", "without `userAttributes`"), &[email, confirmed]),
        (signs_in, &[], &[("userAttributes", "")], Warned("ignored", "without `userAttributes`"), &[]),
        (signs_in, &[], &[email, other], Warned("username", "`username` is not what the user typed"), &[email, name]),
        (signs_in, &typed, &[phone, other], Warned("username", "`username`"), &[phone, other, email]),
        (signs_in, &typed, &[preferred], Warned("username", "needs a `username`"), &[preferred, other]),
        (forgot, &[], &[email], Refused(needs), &[email, verified]),
        (forgot, &[], &[email, unverified], Refused(needs), &[phone, called]),
        (forgot, &[], &[verified, called], Refused(needs), &[phone, called, verified]),
        (signs_in, &[], &[email, mfa], Refused("`enableSMSMFA` for a user without `phone_number`"), &[phone, mfa]),
        (
            signs_in,
            &[],
            &[email, ("forceAliasCreation", "true")],
            Warned("moves-alias", "`forceAliasCreation`"),
            &[email],
        ),
        (
            signs_in,
            &[],
            &[("userAttributes.custom:a-name-of-33-characters-xx", "x")],
            Refused("a name has 1 to 32 characters"),
            &[("userAttributes.custom:a-name-of-32-characters-x", "x")],
        ),
        (
            signs_in,
            &[],
            &[("userAttributes.profile", &long)],
            Refused("`profile` of more than 2048 characters"),
            &[("userAttributes.profile", &most)],
        ),
    ]);
}

#[test]
fn custom_message() {
    let (sign_up, invite) = ("CustomMessage_SignUp", "CustomMessage_AdminCreateUser");
    let other = [("request.codeParameter", "\"{code}\""), ("request.usernameParameter", "\"{name}\"")];
    let silent = [("request", "{}")];
    let filled = |length: usize| format!("{{####}}{}", "x".repeat(length - 6));
    let lengths = [140, 141, 20_000, 20_001].map(filled);
    let [sms_most, sms_long, email_most, email_long] = lengths.each_ref().map(String::as_str);
    let (subject_most, subject_long) = ("x".repeat(140), "x".repeat(141));
    for member in ["smsMessage", "emailMessage"] {
        let without = |what: &str| format!("`{member}` without `{what}`");
        let [code, name, other_code, other_name] = ["{####}", "{username}", "{code}", "{name}"].map(without);
        hold(&[
            (sign_up, &[], &[(member, "no code")], Refused(&code), &[(member, "{####}")]),
            (sign_up, &other, &[(member, "{####}")], Refused(&other_code), &[(member, "{code}")]),
            (sign_up, &silent, &[(member, "no code")], Refused(&code), &[(member, "{####}")]),
            (invite, &[], &[(member, "{####}")], Refused(&name), &[(member, "{username}{####}")]),
            (invite, &[], &[(member, "{username}")], Refused(&code), &[(member, "{username}{####}")]),
            (invite, &other, &[(member, "{username}{code}")], Refused(&other_name), &[(member, "{name}{code}")]),
            (invite, &silent, &[(member, "{####}")], Refused(&name), &[(member, "{username}{####}")]),
            (sign_up, &[], &[(member, "{###}")], Refused("of 5 characters: write 6 to"), &[]),
        ]);
    }
    hold(&[
        (
            sign_up,
            &[],
            &[("smsMessage", sms_long)],
            Refused("of 141 characters: write 6 to 140"),
            &[("smsMessage", sms_most)],
        ),
        (sign_up, &[], &[("emailMessage", email_long)], Refused("write 6 to 20000"), &[("emailMessage", email_most)]),
        (sign_up, &[], &[("emailSubject", "")], Refused("of 0 characters: write 1 to 140"), &[("emailSubject", "x")]),
        (
            sign_up,
            &[],
            &[("emailSubject", &subject_long)],
            Refused("`emailSubject` of 141 characters: write 1 to 140"),
            &[("emailSubject", &subject_most)],
        ),
        // A pool may confirm by a link, in e-mail only.
        (sign_up, &[], &[("smsMessage", "{##here##}")], Refused("without `{####}`"), &[("emailMessage", "{##here##}")]),
    ]);
}

#[test]
fn inbound_federation() {
    let source = "InboundFederation_ExternalProvider";
    let email = ("userAttributesToMap.email", "mira.khan@northwind.example");
    let (long, most) = ("x".repeat(2049), "x".repeat(2048));
    let profile = "userAttributesToMap.profile";
    let no_name = [("userAttributesToMap.custom:", "x")];
    hold(&[
        (source, &[], &[("userAttributesToMap", "")], Warned("ignored", "`userAttributesToMap` is empty"), &[email]),
        (source, &[], &[(profile, &long)], Refused("`profile` of more than 2048 characters"), &[(profile, &most)]),
        (source, &[], &no_name, Refused("the attribute `custom:`: a name has 1 to 32 characters"), &[email]),
    ]);
}

#[test]
fn what_is_not_written_breaks_no_rule() {
    let address = "idTokenGeneration.claimsToAddOrOverride.address";
    let suppressed = [(address, "list:a, b"), ("idTokenGeneration.claimsToSuppress", "address")];
    let scopes = [("accessTokenGeneration.scopesToAdd", "a b"), ("accessTokenGeneration.scopesToSuppress", "a b")];
    for answer in [suppressed, scopes] {
        let decision = answered(V2, &[], &answer);
        assert_eq!((&decision.outcome, &decision.warnings[..]), (&Outcome::Allow, &[][..]), "{decision:?}");
    }
}

#[test]
fn whoever_breaks_a_rule_is_to_blame() {
    let mut package = SCRIPTED.clone();
    let text = |value: &str| SettingValue::Text(value.to_owned());
    let mut optional = package.document.policies[0].clone();
    optional.name = "optional".to_owned();
    optional.on_fault = Some(OnFault::Allow);
    optional.triggers = Some([Trigger::PreTokenGenerationV2].into());
    optional.settings = [("idTokenGeneration.claimsToAddOrOverride.address".to_owned(), text("list:a, b"))].into();
    package.document.policies[0].settings =
        [("accessTokenGeneration.claimsToAddOrOverride.tier".to_owned(), text("gold"))].into();
    package.document.policies.insert(0, optional);
    let event = example(V2).unwrap().as_bytes();
    let call = Call::new(event, ID, Chance::real());
    let decision = decide(&admit(&package).unwrap(), &call);
    let reply = String::from_utf8(decision.reply.clone().unwrap()).unwrap();
    assert!(reply.contains(r#""tier":"gold""#) && !reply.contains("address\":["), "{reply}");
    assert_eq!(decision.runs.iter().map(|run| run.verdict.word()).collect::<Vec<_>>(), ["fault", "allow"]);
}

#[test]
fn what_is_said_of_an_answer_holds_no_secret() {
    let session = r#"[{"challengeName":"CUSTOM_CHALLENGE","challengeResult":true,"challengeMetadata":"HEMMELIG"}]"#;
    let define = "DefineAuthChallenge_Authentication";
    let decision = answered(define, &[("request.session", session)], &[("challengeName", "HEMMELIG")]);
    assert!(decision.warnings[0].text.starts_with("`challengeName` is `***`"), "{:?}", decision.warnings);
    let password = "a-password-longer-than-any-name-may-be";
    let attribute = format!("userAttributes.{password}");
    let event = [("request.password", &*format!("\"{password}\""))];
    let decision = answered("UserMigration_Authentication", &event, &[(&attribute, "x")]);
    let Outcome::Fault(text) = &decision.outcome else { panic!("{decision:?}") };
    assert!(text.contains("`***`") && !text.contains(password), "{text}");
}
