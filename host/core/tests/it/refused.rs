//! Holds admission to its answers: what may not serve is refused with the thing, the reason and the mend.

use std::collections::BTreeMap;

use cogwit_core::policy::{Caps, Document};
use cogwit_core::store::{Package, Source};
use wit_parser::Resolve;

use crate::scenario::policies_wasm;
use crate::support::{ADMISSION, admit, component_in, probe, set_of};

/// What is wrong with a component, and that no part of it is shown twice.
fn refusal(component: &[u8], lines: &str) -> String {
    let Err(rejected) = set_of(component, lines) else { panic!("was admitted") };
    rejected.to_string()
}

fn wat(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

fn shipped(name: &str) -> Vec<u8> {
    std::fs::read(policies_wasm().join(format!("{name}.wasm"))).unwrap()
}

#[test]
fn what_is_no_component() {
    for (bytes, expected) in [
        (b"hello".to_vec(), "`it.wasm`: not WebAssembly"),
        (Vec::new(), "not WebAssembly"),
        (wat("(module)"), "a core WebAssembly module, not a component: turn it into one"),
    ] {
        let text = refusal(&bytes, "");
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn a_file_of_a_hundred_mebibytes_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("huge.wasm");
    std::fs::File::create(&path).unwrap().set_len(100 << 20).unwrap();
    let error = Source::Components(vec![path]).read().unwrap_err();
    assert!(error.to_string().contains("has more than 67108864 bytes"), "{error}");
}

#[test]
fn a_truncated_or_corrupted_component() {
    let whole = shipped("block-client");
    for at in [9, whole.len() / 3, whole.len() - 1] {
        let text = refusal(&whole[..at], "");
        assert!(text.contains("not valid here") || text.contains("no trigger interface"), "{at}: {text}");
        assert!(!text.contains('\n'), "{text}");
    }
}

#[test]
fn interfaces_that_this_host_does_not_have() {
    for (component, expected) in [
        ("(component)", "it exports no trigger interface"),
        (
            r#"(component (instance $e) (export "cogwit:triggers/pre-sign-up@0.9.0" (instance $e)))"#,
            "it was built for `cogwit:triggers/pre-sign-up@0.9.0`, but this host has `cogwit:triggers/pre-sign-up@0.1.0`",
        ),
        (
            r#"(component (instance $e) (export "cogwit:triggers/pre-lunch@0.1.0" (instance $e)))"#,
            "it exports `cogwit:triggers/pre-lunch@0.1.0`, which is no trigger interface of this host",
        ),
        (
            r#"(component (import "wasi:http/types@0.2.0" (instance (export "connect" (func)))))"#,
            "it imports `wasi:http/types@0.2.0`, which this host does not give",
        ),
        (
            r#"(component (import "wasi:config/store@0.2.0" (instance (export "get" (func)))))"#,
            "it was built for `wasi:config/store@0.2.0`, but this host has `wasi:config/store@0.2.0-rc.1`",
        ),
        (r#"(component (instance $e) (export "cogwit:triggers/pre-sign-up@0.1.0" (instance $e)))"#, "not valid here"),
    ] {
        let text = refusal(&wat(component), "");
        assert!(text.contains(expected), "{component}: {text}");
    }
}

#[test]
fn a_right_name_with_other_types() {
    let wit = "package cogwit:triggers@0.1.0;
        interface pre-sign-up {
            record event { odd: string }
            record denial { message: string, reason: option<string> }
            decide: func(event: event) -> result<_, denial>;
        }
        world probe { export pre-sign-up; }";
    let module = r#"(module (memory (export "memory") 1)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
        (func (export "cogwit:triggers/pre-sign-up@0.1.0#decide") (param i32 i32) (result i32) (i32.const 0)))"#;
    let mut resolve = Resolve::default();
    let package = resolve.push_str("odd.wit", wit).unwrap();
    let text = refusal(&component_in(&resolve, package, &wat(module)), "");
    assert!(text.contains("an interface has the right name but other types"), "{text}");
}

#[test]
fn a_later_patch_of_the_same_track_is_admitted() {
    let mut component = probe("allow");
    let name = b"cogwit:triggers/pre-sign-up@0.1.";
    let places: Vec<_> = (0..component.len()).filter(|at| component[*at..].starts_with(name)).collect();
    assert!(!places.is_empty());
    places.into_iter().for_each(|at| component[at + name.len()] = b'7');
    assert_eq!(set_of(&component, "").unwrap().policies.len(), 1);
}

#[test]
fn settings_that_the_policy_refuses() {
    for (settings, expected) in [
        (
            "settings = { minimum-length = 'five' }",
            "its settings are refused: `minimum-length` is `five`: write a value such as `5`",
        ),
        ("settings = { minimum-length = 0 }", "write a number from 1 to 128"),
        ("settings = { minimum-lenght = 8 }", "`minimum-lenght` is not known: this policy reads `minimum-length`"),
    ] {
        let text = refusal(&shipped("deny-short-username"), settings);
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn a_policy_that_breaks_while_it_is_checked() {
    let text = refusal(&shipped("deny-short-username"), "limits = { fuel = 10 }");
    assert!(text.contains("it broke when it was started once: ran out of fuel: used all 10 units"), "{text}");
    let text = refusal(&shipped("deny-short-username"), "limits = { memory = 1024 }");
    assert!(text.contains("more than its 1024 (1.0 KiB); raise the limit `memory`"), "{text}");
}

#[test]
fn a_trigger_that_the_component_does_not_answer() {
    let text = refusal(&shipped("block-client"), "triggers = ['pre-sign-up']");
    assert!(text.contains("`it.wasm` does not answer `pre-sign-up`, only `pre-authentication`"), "{text}");
}

#[test]
fn everything_that_is_wrong_is_named_at_once() {
    let document = "schema = 1
        [set]
        name = 'broken'
        [limits]
        fuel = 'lots'
        [[policy]]
        name = 'gone'
        component = 'gone.wasm'
        [[policy]]
        name = 'changed'
        component = 'it.wasm'
        sha256 = '00'
        [[policy]]
        name = 'secret'
        component = 'it.wasm'
        settings = { blocked-clients = { env = 'COGWIT_SECRET_CLIENTS' } }
        limits = { chain-deadline = '1 s', memory = '1 GiB' }";
    let components = BTreeMap::from([("it.wasm".to_owned(), shipped("block-client"))]);
    let package = Package::of(Document::parse(document).unwrap(), components);
    let Err(rejected) = ADMISSION.admit(&package, &Caps::default(), |_| None) else { panic!("was admitted") };
    let texts: Vec<_> = rejected.findings.iter().map(ToString::to_string).collect();
    let expected = [
        "limit `fuel` is `lots`",
        "policy `gone`: the set does not hold `gone.wasm`",
        "policy `changed`: `it.wasm` has the digest ",
        "policy `secret`: limit `chain-deadline` is the whole set's",
        "policy `secret`: limit `memory` is `1.0 GiB`, but this host allows `256.0 MiB` at most",
        "policy `secret`: setting `blocked-clients` refers to the environment variable `COGWIT_SECRET_CLIENTS`",
    ];
    assert_eq!(texts.len(), expected.len(), "{texts:#?}");
    texts.iter().zip(expected).for_each(|(text, start)| assert!(text.starts_with(start), "{text}"));
}

#[test]
fn the_default_set_is_admitted_without_warnings() {
    let package = Source::Document(policies_wasm().join("policies.toml")).read().unwrap();
    assert!(package.document.policies.iter().all(|policy| policy.sha256.is_some()));
    assert_eq!(admit(&package).unwrap().warnings, []);
}

#[test]
fn policies_of_one_component_share_it() {
    let document = "schema = 1
        [set]
        name = 'twins'
        [[policy]]
        name = 'a'
        component = 'it.wasm'
        [[policy]]
        name = 'b'
        component = 'it.wasm'";
    let components = BTreeMap::from([("it.wasm".to_owned(), shipped("block-client"))]);
    let set = admit(&Package::of(Document::parse(document).unwrap(), components)).unwrap();
    assert!(std::sync::Arc::ptr_eq(&set.policies[0].prepared, &set.policies[1].prepared));
}
