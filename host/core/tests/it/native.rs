//! Takes machine code in that was made ahead of time, and refuses it where it is not what the lock promises.

use std::collections::BTreeMap;
use std::fs;

use cogwit_core::Verdict;
use cogwit_core::digest::sha256;
use cogwit_core::policy::Document;
use cogwit_core::run::{Engine, FINGERPRINT, Native};
use cogwit_core::store::{Admission, MOST_COMPILED_AT_START, Package, PolicySet, Rejected, Source};
use tempfile::TempDir;

use crate::scenario;
use crate::support::{caps, component_of, decided, probe, reply};

const EVENT: &[u8] = br#"{"triggerSource":"PreSignUp_SignUp","userName":"ingrid.o","request":{"userAttributes":{"email":"i@example.com"}},"response":{}}"#;

fn engine() -> Engine {
    Engine::new(2, caps().limits.memory).unwrap()
}

/// A policy set of one component, `it.wasm`, with machine code in `it.native` that its lock lists.
struct Set {
    folder: TempDir,
    component: Vec<u8>,
}

/// What a lock says of machine code.
#[derive(Clone)]
struct Entry {
    component: String,
    file: String,
    target: String,
    engine: String,
    sha256: String,
}

impl Set {
    fn of(component: Vec<u8>) -> Self {
        let set = Self { folder: tempfile::tempdir().unwrap(), component };
        let native = engine().precompile(&set.component).unwrap();
        set.write("it.wasm", &set.component);
        set.write("it.native", &native);
        set.write(
            "policies.toml",
            b"schema = 1\n[set]\nname = 'it'\n[[policy]]\nname = 'it'\ncomponent = 'it.wasm'\n[limits]\ndeadline = '5 s'\n",
        );
        set.lock(&[set.entry()]);
        set
    }

    fn shipped() -> Self {
        Self::of(fs::read(scenario::policies_wasm().join("deny-short-username.wasm")).unwrap())
    }

    fn path(&self, file: &str) -> std::path::PathBuf {
        self.folder.path().join(file)
    }

    fn write(&self, file: &str, bytes: &[u8]) {
        fs::write(self.path(file), bytes).unwrap();
    }

    /// What is true of `it.native`.
    fn entry(&self) -> Entry {
        Entry {
            component: "it.wasm".to_owned(),
            file: "it.native".to_owned(),
            target: Native::target(),
            engine: FINGERPRINT.to_owned(),
            sha256: sha256(&fs::read(self.path("it.native")).unwrap()),
        }
    }

    fn lock(&self, entries: &[Entry]) {
        let component = format!("[[component]]\nfile = 'it.wasm'\nsha256 = '{}'\n", sha256(&self.component));
        let text = entries.iter().fold(component, |text, Entry { component, file, target, engine, sha256 }| {
            text + &format!("[[native]]\ncomponent = '{component}'\nfile = '{file}'\ntarget = '{target}'\nengine = '{engine}'\nsha256 = '{sha256}'\nsize = 1\n")
        });
        self.write("policies.lock", text.as_bytes());
    }

    /// Admits it in an engine of its own, which compiles components of up to `most` bytes.
    fn admitted(&self, most: usize) -> Result<PolicySet, Rejected> {
        let package = Source::Document(self.path("policies.toml")).read_own().unwrap();
        Admission::new(engine()).compiling_at_most(most).admit(&package, &caps(), |_| None)
    }

    fn warnings(&self) -> Vec<String> {
        self.admitted(usize::MAX).unwrap().warnings.iter().map(ToString::to_string).collect()
    }

    /// Holds that the machine code is not used, for this reason, and that all the same the policy decides: compiled where
    /// that may be, and else not at all.
    #[track_caller]
    fn falls_back(&self, reason: &str) {
        let set = self.admitted(usize::MAX).unwrap();
        let [warning] = set.warnings.as_slice() else { panic!("{:?}", set.warnings) };
        let text = warning.to_string();
        let start = "policy `it`: its machine code is not used, so the component was compiled: ";
        assert!(text.starts_with(start) && text.contains(reason), "`{reason}` is not in: {text}");
        assert!(!text.contains(char::is_control), "{text:?}");
        assert_eq!(reply(&decided(&set, EVENT)), EVENT);

        let Err(refused) = self.admitted(self.component.len() - 1) else { panic!("was compiled") };
        let text = refused.to_string();
        let size = self.component.len();
        assert!(
            text.contains(&format!("`it.wasm`: it has {size} bytes and no machine code for this host (")),
            "{text}"
        );
        assert!(text.contains(reason) && text.contains(": make it with `"), "`{reason}` is not in: {text}");
    }
}

/// Whoever can write beside a set would run as the host that reads it.
#[test]
fn machine_code_beside_a_set_of_somebody_elses_is_left_alone() {
    let folder = Set::of(probe("allow"));
    folder.lock(&[folder.entry()]);
    let path = Source::Document(folder.path("policies.toml"));
    assert_eq!(path.read_own().unwrap().native.len(), 1);
    assert!(path.read().unwrap().native.is_empty());
}

#[test]
fn machine_code_decides_as_what_was_compiled_does() {
    let set = Set::shipped();
    // Nothing may be compiled here, so this runs what was made ahead.
    let native = set.admitted(0).unwrap();
    assert_eq!(native.warnings, []);
    fs::remove_file(set.path("policies.lock")).unwrap();
    let compiled = set.admitted(usize::MAX).unwrap();
    assert_eq!(compiled.warnings, []);
    for event in [EVENT, br#"{"userName":"rroe"}"#] {
        let (native, compiled) = (decided(&native, event), decided(&compiled, event));
        assert_eq!(reply(&native), reply(&compiled));
        assert_eq!(native.runs[0].usage.fuel, compiled.runs[0].usage.fuel);
        assert_eq!(native.runs[0].usage.memory, compiled.runs[0].usage.memory);
    }
}

#[test]
fn guards_hold_in_machine_code_too() {
    for (name, kind) in
        [("endless-loop", "fuel"), ("memory-bomb", "memory"), ("deep-recursion", "stack"), ("trap", "trap")]
    {
        let set = Set::of(probe(name)).admitted(0).unwrap();
        let decision = decided(&set, EVENT);
        let Verdict::Fault(fault) = &decision.runs[0].verdict else { panic!("{decision:?}") };
        assert_eq!(fault.kind(), kind);
    }
}

#[test]
fn other_bytes_than_promised_are_not_run() {
    let set = Set::of(probe("allow"));
    let whole = fs::read(set.path("it.native")).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    for bytes in [&flipped, &whole[..whole.len() - 1], b"", &[&whole[..], b"x"].concat()] {
        set.write("it.native", bytes);
        set.falls_back(&format!("`it.native`: it has the digest {}", sha256(bytes)));
    }
    set.write("it.native", &whole);
    assert_eq!(set.warnings(), [""; 0]);
    set.lock(&[Entry { sha256: "0".repeat(64), ..set.entry() }]);
    set.falls_back(&format!(", not {}: make it anew", "0".repeat(64)));
}

#[test]
fn bytes_that_are_promised_but_no_machine_code_are_refused_by_the_engine() {
    let set = Set::of(probe("allow"));
    let whole = fs::read(set.path("it.native")).unwrap();
    // The digest of the component stands before its code.
    let of = |code: &[u8]| [&whole[..64], code].concat();
    // The engine names itself in a section of its own: one letter of it is changed.
    let at = whole.windows(FINGERPRINT.len()).position(|bytes| bytes == FINGERPRINT.as_bytes()).unwrap();
    let mut of_another_engine = whole.clone();
    of_another_engine[at] = b'W';
    for bytes in
        [of(b"\x7fELF and nothing else"), of(b"\0asm\x01\0\0\0"), of(&[]), of(&whole[64..4_000]), of_another_engine]
    {
        set.write("it.native", &bytes);
        set.lock(&[set.entry()]);
        set.falls_back("the engine refuses it: ");
    }
    for bytes in [&b""[..], &whole[..63], &whole[64..]] {
        set.write("it.native", bytes);
        set.lock(&[set.entry()]);
        set.falls_back("it was made of another component: make it anew");
    }
}

#[test]
fn machine_code_of_another_engine_or_component_is_not_run() {
    let set = Set::of(probe("allow"));
    set.lock(&[Entry { engine: "wasmtime-1.0.0+engine7".to_owned(), ..set.entry() }]);
    set.falls_back("`it.native`: it was made by the engine `wasmtime-1.0.0+engine7`, and this host has `wasmtime-");
    set.lock(&[Entry { file: "gone.native".to_owned(), ..set.entry() }]);
    set.falls_back("gone.native`: No such file or directory");
}

#[test]
fn an_entry_for_another_target_or_component_is_passed_over() {
    let set = Set::of(probe("allow"));
    let other = Entry { target: "riscv64gc-unknown-linux-gnu".to_owned(), sha256: "0".repeat(64), ..set.entry() };
    let of_another = Entry { component: "other.wasm".to_owned(), ..other.clone() };
    set.lock(&[other.clone(), Entry { target: Native::target(), ..of_another }]);
    assert_eq!(set.warnings(), [""; 0]);
    let Err(refused) = set.admitted(0) else { panic!("was compiled") };
    assert!(refused.to_string().contains("no machine code for this host, which compiles 0 bytes at most"), "{refused}");
    set.lock(&[other, set.entry()]);
    assert_eq!(set.admitted(0).unwrap().warnings, []);
}

#[test]
fn machine_code_of_what_the_component_was_before_is_not_run() {
    let mut set = Set::of(probe("allow"));
    // The lock is right in all that it says, but the machine code was not made anew.
    set.component = probe("trap");
    set.write("it.wasm", &set.component);
    set.lock(&[set.entry()]);
    let set = set.admitted(usize::MAX).unwrap();
    assert!(
        set.warnings[0].to_string().ends_with("it was made of another component: make it anew"),
        "{:?}",
        set.warnings
    );
    let decision = decided(&set, EVENT);
    assert!(matches!(decision.runs[0].verdict, Verdict::Fault(_)), "{decision:?}");
}

#[test]
fn the_same_component_gives_the_same_machine_code() {
    let component = probe("allow");
    // However much memory an engine has for its policies.
    let small = Engine::new(1, 1 << 20).unwrap();
    assert!(engine().precompile(&component).unwrap() == small.precompile(&component).unwrap());
    let error = engine().precompile(b"no component").unwrap_err().to_string();
    assert!(error.contains("not WebAssembly"), "{error}");
}

#[test]
fn a_set_that_costs_too_much_at_a_start_needs_machine_code() {
    // Each function but the last is small, and there are many.
    let component = |functions: usize| {
        let functions = "(func (nop))".repeat(functions);
        let module = format!(
            r#"(module {functions} (memory (export "memory") 1)
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8192))
            (func (export "cogwit:triggers/pre-sign-up@0.1.0#decide") (param i32) (result i32) (i32.const 0)))"#
        );
        component_of(&wat::parse_str(module).unwrap())
    };
    let (large, small) = (component(30_000), component(15_000));
    assert!(large.len() < MOST_COMPILED_AT_START);
    let text = "schema = 1\n[set]\nname = 'test'\n[[policy]]\nname = 'a'\ncomponent = 'a.wasm'\n[[policy]]\nname = 'b'\ncomponent = 'b.wasm'\n";
    let mut other = small.clone();
    // Another component, with a custom section that is empty.
    other.extend([0, 2, 1, b'x']);
    let admitted = |a: &[u8], b: &[u8]| {
        let components = BTreeMap::from([("a.wasm".to_owned(), a.to_vec()), ("b.wasm".to_owned(), b.to_vec())]);
        let package = Package::of(Document::parse(text).unwrap(), components);
        Admission::new(engine()).compiling_at_most(MOST_COMPILED_AT_START).admit(&package, &caps(), |_| None)
    };
    let refusal = |a: &[u8], b: &[u8]| admitted(a, b).err().unwrap().to_string();
    let alone = refusal(&large, &large);
    assert!(
        alone.contains("policy `a`: `a.wasm`: compiling it takes 4") && alone.contains("3500000 are left"),
        "{alone}"
    );
    let together = refusal(&small, &other);
    assert!(!together.contains("policy `a`") && together.contains("policy `b`"), "{together}");
    assert!(together.ends_with("are left: make it with `cogwit native`"), "{together}");
    // The same component is compiled once.
    assert_eq!(admitted(&small, &small).unwrap().policies.len(), 2);
}
