//! Has policies write what an event keeps secret, in the ways that languages write texts, and reads the record.

use std::time::{Duration, SystemTime};

use cogwit_core::case::ID;
use cogwit_core::event::Trigger;
use cogwit_core::record::{Masking, Record, Setting};
use cogwit_core::release::Live;
use cogwit_core::run::Chance;
use cogwit_core::store::PolicySet;
use cogwit_core::{Call, decide, shadow};

use crate::support::{ADMISSION, caps, component_of, package_of};

/// Where a policy writes a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Into a line of its log.
    Log,
    /// Into the context of such a line.
    Context,
    /// To standard output, three bytes at a time.
    Print,
    /// Into its panic.
    Panic,
    /// Into the message of its denial, and the reason.
    Deny,
}
use Way::{Context, Deny, Log, Panic, Print};

/// A component that writes `text` in these ways. The last of them ends it.
fn writing(text: &str, ways: &[Way]) -> Vec<u8> {
    let length = text.len();
    let body = ways.iter().fold(String::new(), |body, way| {
        let log = |level, context: (usize, usize), message: (usize, usize)| {
            let ((c, c_length), (m, m_length)) = (context, message);
            format!("(call $log (i32.const {level}) (i32.const {c}) (i32.const {c_length}) (i32.const {m}) (i32.const {m_length}))")
        };
        body + &match way {
            Log => log(2, (0, 0), (1024, length)),
            Context => log(2, (1024, length), (0, 0)),
            Panic => log(5, (128, 5), (1024, length)) + "unreachable",
            Deny => "(return (i32.const 64))".to_owned(),
            Print => (0..length).step_by(3).fold(String::new(), |body, at| {
                let (at, some) = (1024 + at, (length - at).min(3));
                body + &format!("(call $write (call $stdout) (i32.const {at}) (i32.const {some}) (i32.const 16))")
            }),
        }
    });
    let escaped = text.bytes().fold(String::new(), |escaped, byte| escaped + &format!("\\{byte:02x}"));
    // The denial at 64: its message and its reason are the text.
    let place = format!("\\00\\04\\00\\00\\{:02x}\\{:02x}\\00\\00", length % 256, length / 256);
    let printing = match ways.contains(&Print) {
        true => PRINTING,
        false => "",
    };
    let module = format!(
        r#"(module {printing} (import "wasi:logging/logging@0.1.0-draft" "log" (func $log (param i32 i32 i32 i32 i32)))
          (memory (export "memory") 2)
          (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 65536))
          (func (export "cogwit:triggers/pre-sign-up@0.1.0#decide") (param i32) (result i32) {body} (i32.const 0))
          (data (i32.const 64) "\01\00\00\00{place}\01\00\00\00{place}")
          (data (i32.const 128) "panic")
          (data (i32.const 1024) "{escaped}"))"#
    );
    component_of(&wat::parse_str(module).unwrap())
}

const PRINTING: &str = r#"(import "wasi:cli/stdout@0.2.6" "get-stdout" (func $stdout (result i32)))
  (import "wasi:io/streams@0.2.6" "[method]output-stream.blocking-write-and-flush" (func $write (param i32 i32 i32 i32)))"#;

fn set(component: &[u8], lines: &str) -> PolicySet {
    let package = package_of(component, &format!("capabilities = ['wasi']\n{lines}"));
    ADMISSION.admit(&package, &caps(), |_| Some("Sesame's \"own\"\nsecret".to_owned())).unwrap()
}

/// The record of a decision.
fn recorded(set: &PolicySet, event: &str, personal: bool) -> String {
    written(set, event, personal).0
}

/// The record of a decision, and what the user is told.
fn written(set: &PolicySet, event: &str, personal: bool) -> (String, String) {
    let trigger = Some(Trigger::PreSignUp);
    let call = Call { trigger, ..Call::new(event.as_bytes(), ID, Chance::real()) };
    let mut decision = decide(set, &call);
    decision.shadows = shadow(set, &call, &decision);
    let setting = Setting {
        function: "it",
        time: SystemTime::now(),
        elapsed: Duration::ZERO,
        cold: false,
        trace: None,
        masking: &Masking { personal, key: None },
        serving: &Live::fixed(Err("another".to_owned())).serving(),
    };
    let told = decision.reply.as_ref().err().map(|refusal| refusal.error_message.clone()).unwrap_or_default();
    (Record::line(Some(set), &call, &decision, &setting), told)
}

/// A value that every language quotes in its own way, as it stands in an event, and pieces of it that must not be found.
const VALUE: &str = r#""it's \"Sesame\"\u0008\n\u00f6ffne \\dich""#;
const PIECES: [&str; 3] = ["Sesame", "ffne", "dich"];

/// What languages make of that value when they print it, quote it, or quote the event.
fn texts(event: &str) -> Vec<String> {
    let value = "it's \"Sesame\"\u{8}\nöffne \\dich";
    let quoted = format!("{value:?}");
    let json = serde_json::to_string(value).unwrap();
    let ascii = r#""it's \"Sesame\"\b\n\u00f6ffne \\dich""#;
    let python = r#"'it\'s "Sesame"\x08\nöffne \\dich'"#;
    let of_event = format!("{event:?}");
    let of_json = serde_json::to_string(event).unwrap();
    let lines = value.replace('\n', "\r\n");
    [value, &quoted, &json, ascii, python, event, &of_event, &of_json, &lines].map(str::to_owned).to_vec()
}

#[track_caller]
fn holds_none(text: &str, pieces: &[&str], of: &str) {
    for piece in pieces {
        assert!(!text.contains(piece), "{of}: `{piece}` stands in {text}");
    }
}

#[test]
fn a_secret_is_found_however_it_is_written() {
    let event = format!(r#"{{"request":{{"session":[{{"challengeMetadata":{VALUE}}}]}}}}"#);
    for text in texts(&event) {
        for ways in [&[Log, Context, Print, Deny] as &[_], &[Panic]] {
            let (record, told) = written(&set(&writing(&text, ways), ""), &event, false);
            holds_none(&(record + &told), &PIECES, &text);
        }
    }
}

#[test]
fn what_tells_of_a_person_is_found_however_it_is_written() {
    let event = format!(r#"{{"request":{{"clientMetadata":{{"some":{VALUE}}}}}}}"#);
    for text in texts(&event) {
        for ways in [&[Log, Context, Print, Deny] as &[_], &[Panic]] {
            let set = set(&writing(&text, ways), "");
            holds_none(&recorded(&set, &event, true), &PIECES, &text);
            // The user may read what tells of the user, and so may the operator who asked for it.
            let (record, told) = written(&set, &event, false);
            assert!(record.contains("Sesame") && (told.contains("Sesame") || ways == [Panic]), "{text}: {record}");
        }
    }
}

#[test]
fn a_cut_leaves_no_half_of_a_secret() {
    let event = r#"{"request":{"password":"Sesäme-öffne-dich","userAttributes":{"name":"Ingrid-Ölsen"}}}"#;
    let text = "before Sesäme-öffne-dich between Ingrid-Ölsen after";
    let halves = ["Ses", "me-", "ffne", "ich", "Ingr", "rid", "Öl", "sen"];
    for way in [Log, Context, Print, Panic] {
        let component = writing(text, &[way]);
        // Kept, so that the component is compiled once.
        let whole = set(&component, "");
        assert!(recorded(&whole, event, true).contains("before *** between *** after"), "{way:?}");
        for bytes in 1..=text.len() {
            let cut = set(&component, &format!("limits = {{ log-bytes = {bytes} }}"));
            holds_none(&recorded(&cut, event, true), &halves, &format!("{way:?} cut to {bytes}"));
        }
    }
}

#[test]
fn a_secret_setting_is_found_however_it_is_written() {
    let value = "Sesame's \"own\"\nsecret";
    let settings = "settings = { it = { env = 'COGWIT_SECRET_IT' } }";
    let of_candidate = format!("candidate = {{ component = 'it.wasm', rollout = 100, {settings} }}");
    let of_shadow = format!("mode = 'shadow'\n{settings}");
    for text in [value.to_owned(), format!("{value:?}"), serde_json::to_string(value).unwrap()] {
        for ways in [&[Log, Context, Print, Deny] as &[_], &[Panic]] {
            let component = writing(&text, ways);
            for lines in [settings, &of_candidate, &of_shadow] {
                let (record, told) = written(&set(&component, lines), "{}", false);
                assert!(record.contains("***"), "{lines}: {record}");
                holds_none(&(record + &told), &["Sesame", "own", "secret"], &text);
            }
        }
    }
    let component = writing(&format!("the {value}"), &[Print]);
    let _kept = set(&component, settings);
    for bytes in 1..=30 {
        let cut = set(&component, &format!("limits = {{ log-bytes = {bytes} }}\n{settings}"));
        holds_none(&recorded(&cut, "{}", false), &["Ses", "own", "ecr"], &format!("cut to {bytes}"));
    }
}
