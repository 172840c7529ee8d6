//! Holds the reply to the event's bytes, over JSON that nobody would write by hand.

use std::sync::LazyLock;

use cogwit_core::event::Object;
use cogwit_core::store::PolicySet;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::{ALLOWING, decided, reply, set_of};

/// Blanks that JSON allows between tokens.
fn blank() -> impl Strategy<Value = &'static str> {
    prop_oneof![4 => Just(""), 1 => Just(" "), 1 => Just("\n\t"), 1 => Just("\r\n  ")]
}

/// A string literal with escapes, surrogates that stand alone among them.
fn string() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => "[ a-zA-Z0-9@._:{}\\[\\],é日😀]{0,6}",
        1 => prop_oneof![
            Just("\\n"), Just("\\/"), Just("\\\""), Just("\\\\"), Just("\\u00e9"), Just("\\ud83d\\ude00"), Just("\\ud83d"), Just("\\udc00")
        ]
        .prop_map(str::to_owned),
    ];
    vec(part, 0..4).prop_map(|parts| format!("\"{}\"", parts.concat()))
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("9007199254740993".to_owned()),
        Just("0.1000000000000000055".to_owned()),
        Just("1E2".to_owned()),
        Just("-0".to_owned()),
        Just("1.7976931348623157E308".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
    ]
}

/// Any JSON value, with odd blanks and repeated keys.
fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("false".to_owned()),
        Just("{}".to_owned()),
        Just("[ ]".to_owned()),
        number(),
        string(),
        (1_usize..10_000).prop_map(|depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth))),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            (vec((blank(), inner.clone(), blank()), 0..4)).prop_map(|items| {
                let items: Vec<_> = items.into_iter().map(|(a, value, b)| format!("{a}{value}{b}")).collect();
                format!("[{}]", items.join(","))
            }),
            vec((string(), inner), 0..4).prop_flat_map(|members| object(members, true)),
        ]
    })
}

/// An object of these members, between odd blanks; one that is repeated now and then.
fn object(mut members: Vec<(String, String)>, repeats: bool) -> impl Strategy<Value = String> {
    if let (true, Some(first)) = (repeats, members.first().cloned()) {
        members.push(first);
    }
    let blanks = vec((blank(), blank(), blank()), members.len());
    (blanks, blank()).prop_map(move |(blanks, end)| {
        let members: Vec<_> =
            members.iter().zip(blanks).map(|((key, value), (a, b, c))| format!("{a}{key}{b}:{c}{value}")).collect();
        format!("{{{}{end}}}", members.join(","))
    })
}

/// A map of attributes: absent, null, `{}` or entries of any kind.
fn map() -> impl Strategy<Value = Option<String>> {
    let entries = vec((string(), value()), 0..4).prop_flat_map(|members| object(members, true));
    prop_oneof![Just(None), Just(Some("null".to_owned())), Just(Some("{}".to_owned())), entries.prop_map(Some)]
}

fn member(name: &str, value: Option<String>) -> Option<(String, String)> {
    value.map(|value| (format!("\"{name}\""), value))
}

/// A `response`: absent, null, or an object with what Cognito sends and what it may send one day.
fn response() -> impl Strategy<Value = Option<String>> {
    let known = prop_oneof![
        Just("\"autoConfirmUser\""),
        Just("\"autoVerify\\u0045mail\""),
        Just("\"autoVerifyPhone\""),
        Just("\"later\"")
    ];
    let members = vec((known.prop_map(str::to_owned), value()), 0..4).prop_flat_map(|members| object(members, false));
    prop_oneof![1 => Just(None), 1 => Just(Some("null".to_owned())), 6 => members.prop_map(Some)]
}

/// An event of pre sign-up with unknown members at every level, in any order.
fn event() -> impl Strategy<Value = String> {
    let request =
        (map(), map(), map(), vec((string(), value()), 0..3)).prop_flat_map(|(users, validation, client, other)| {
            let known = [
                member("userAttributes", users),
                member("validationData", validation),
                member("clientMetadata", client),
            ];
            let members =
                known.into_iter().flatten().chain(other.into_iter().filter(|(key, _)| !key.ends_with("a\""))).collect();
            object(members, false)
        });
    let unknown = vec(("\"x[a-z]{1,8}\"", value()), 0..4);
    (proptest::option::of(request), response(), proptest::option::of(string()), unknown, blank(), blank())
        .prop_flat_map(|(request, response, user, mut members, before, after)| {
            members.sort();
            members.dedup_by(|(a, _), (b, _)| a == b);
            members.extend(member("request", request));
            members.extend(member("response", response));
            members.extend(member("userName", user));
            members.push(("\"triggerSource\"".to_owned(), "\"PreSignUp_SignUp\"".to_owned()));
            let shuffled = Just(members).prop_shuffle();
            shuffled
                .prop_flat_map(|members| object(members, false))
                .prop_map(move |event| format!("{before}{event}{after}"))
        })
}

/// The bytes before and after the value of `response`, or all where it is absent.
fn without_response(event: &str) -> (String, String) {
    let members = Object::parse(event, "the event").unwrap();
    match members.get("response") {
        None => (event.to_owned(), String::new()),
        Some(value) => {
            let at = value.as_ptr().addr() - event.as_ptr().addr();
            (event[..at].to_owned(), event[at + value.len()..].to_owned())
        }
    }
}

/// A set that always sets one member.
static CONFIRMING: LazyLock<PolicySet> = LazyLock::new(|| {
    let file = crate::scenario::policies_wasm().join("auto-confirm-domain.wasm");
    set_of(&std::fs::read(file).unwrap(), "").unwrap()
});

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_chain_that_sets_nothing_returns_the_input(event in event()) {
        let decision = decided(&ALLOWING, event.as_bytes());
        prop_assert_eq!(String::from_utf8(reply(&decision)).unwrap(), event);
    }

    #[test]
    fn everything_but_the_response_is_echoed(event in event()) {
        let decision = decided(&CONFIRMING, event.as_bytes());
        let replied = String::from_utf8(reply(&decision)).unwrap();
        let (before, after) = without_response(&event);
        let (said_before, said_after) = without_response(&replied);
        let absent = Object::parse(&event, "the event").unwrap().get("response").is_none();
        if absent {
            // The new member stands before the closing brace.
            let (open, close) = event.rsplit_once('}').unwrap();
            let wanted = format!("{open},\"response\":{{\"autoConfirmUser\":");
            prop_assert!(replied.starts_with(&wanted), "{} from {}", replied, event);
            let end = format!("}}}}{close}");
            prop_assert!(replied.ends_with(&end));
        } else {
            prop_assert_eq!((said_before, said_after), (before, after));
        }
        // What the response had and no policy set is there as it was, in order.
        let members = |text: &str| -> Vec<(String, String)> {
            let event = Object::parse(text, "the event").unwrap();
            let response = Object::parse(event.get("response").unwrap_or("null"), "`response`").unwrap();
            let kept = response.iter().filter(|(name, _)| *name != "autoConfirmUser");
            kept.map(|(name, json)| (name.to_owned(), json.to_owned())).collect()
        };
        prop_assert_eq!(members(&replied), members(&event));
        let told = Object::parse(&replied, "the event").unwrap().get("response").map(str::to_owned).unwrap();
        let confirmed = Object::parse(&told, "`response`").unwrap().get("autoConfirmUser").map(str::to_owned);
        prop_assert!(matches!(confirmed.as_deref(), Some("true" | "false")));
    }
}

#[test]
fn an_event_of_extreme_depth_and_width_is_echoed() {
    let deep =
        format!(r#"{{"userName":"a","deep":{}{},"response":{{}}}}"#, "{\"a\":[".repeat(50_000), "]}".repeat(50_000));
    let wide: String = (0..100_000).map(|at| format!("\"m{at}\":{at},")).collect();
    for event in [deep, format!("{{{wide}\"response\":{{}}}}")] {
        assert!(reply(&decided(&ALLOWING, event.as_bytes())) == event.as_bytes());
    }
}
