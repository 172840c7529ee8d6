//! Tries every hostile probe: which fault or load error it gives, and that the host is as good as before.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::time::{Duration, Instant};

use cogwit_core::{Decision, Verdict};

use crate::support::{ALLOWING, component_of, decided, probe, probes, reply, set_of};

const EVENT: &[u8] = br#"{"userName":"rroe","request":{"userAttributes":{"email":"r@example.com"}},"response":{}}"#;

/// What a probe must come to.
enum Ends {
    /// A fault of this kind, in a decision that takes no longer than this.
    Fault(&'static str, Duration),
    /// An allowing or denying verdict: harmless.
    Harmless,
    /// A refusal at load, whose text has this part.
    Refused(&'static str),
}
use Ends::{Fault, Harmless, Refused};

/// What a busy machine needs at most for what takes a millisecond.
const SOON: Duration = Duration::from_millis(250);
/// And for 10 million units of fuel, which take about 9 ms.
const FUEL: Duration = Duration::from_millis(500);

/// The deadline is out of the way, so that each probe meets the guard that is meant for it.
const NO_DEADLINE: &str = "\n[limits]\ndeadline = '5 s'\nfuel = 10_000_000";

/// Every probe in `probes/`, what it tries, lines of TOML for it, and what it must come to.
const CORPUS: &[(&str, &str, &str, Ends)] = &[
    ("allow", "behaves", "", Harmless),
    ("endless-loop", "an endless loop", "", Fault("fuel", FUEL)),
    ("start-loop", "an endless loop in its start function", "", Refused("ran out of fuel")),
    ("bulk-memory", "a loop of long bulk-memory operations", "", Fault("fuel", FUEL)),
    ("slow-growth", "slow growth within fuel", "", Fault("memory", FUEL)),
    ("memory-bomb", "growth until told no", "", Fault("memory", SOON)),
    ("growth-told-no", "4 GiB at once", "", Fault("fuel", SOON)),
    ("many-memories", "six memories", "", Refused("not valid here")),
    ("many-tables", "twenty tables", "", Refused("not valid here")),
    (
        "huge-table",
        "a table beyond the memory limit",
        "limits = { memory = '256 KiB' }",
        Refused("raise the limit `memory`"),
    ),
    ("growing-table", "a table that grows until told no", "limits = { memory = '256 KiB' }", Fault("memory", SOON)),
    ("deep-recursion", "recursion without end", "", Fault("stack", SOON)),
    ("trap", "a division by zero", "", Fault("trap", SOON)),
    ("unreachable", "`unreachable`", "", Fault("trap", SOON)),
    ("out-of-bounds", "a read past the end of its memory", "", Fault("trap", SOON)),
    ("panic-text", "a panic with control characters", "", Fault("trap", SOON)),
    ("huge-message", "a denial of 320 KiB", "", Fault("output", SOON)),
    ("bad-text", "a message that is no UTF-8", "", Fault("value", SOON)),
    ("bad-discriminant", "a case that its result does not have", "", Fault("value", SOON)),
    ("result-out-of-bounds", "a result outside of its memory", "", Fault("value", SOON)),
    ("result-unaligned", "a result that is not aligned", "", Fault("value", SOON)),
    ("text-out-of-bounds", "a message outside of its memory", "", Fault("value", SOON)),
    ("lying-realloc", "room for the event outside of its memory", "", Fault("value", SOON)),
    ("unaligned-realloc", "room for the event that is not aligned", "", Fault("value", SOON)),
    ("looping-realloc", "an endless loop while the event is lowered", "", Fault("fuel", FUEL)),
    ("calling-realloc", "a call to the host while the event is lowered", "", Fault("trap", SOON)),
    ("looping-post-return", "an endless loop after its answer", "", Fault("fuel", FUEL)),
    ("changed-after-return", "a message changed after its answer", "", Harmless),
    ("huge-log", "1 MiB in one line of log", "", Fault("output", SOON)),
    ("log-flood", "log lines without end", "limits = { fuel = 1_000_000 }", Fault("fuel", FUEL)),
    (
        "settings-flood",
        "reading settings without end",
        "settings = { a = 'b' }\nlimits = { fuel = 1_000_000 }",
        Fault("fuel", FUEL),
    ),
    ("raw-event-flood", "reading the event without end", "limits = { fuel = 1_000_000 }", Fault("fuel", FUEL)),
    ("create-secret", "random numbers without a grant", "", Refused("add `capabilities = [\"random\"]`")),
    ("tell-time", "the time without a grant", "", Refused("add `capabilities = [\"clock\"]`")),
    ("greedy-random", "a mebibyte of random numbers", "capabilities = ['random']", Fault("refused", SOON)),
    ("wasi-exit", "exit", "capabilities = ['wasi']", Fault("refused", SOON)),
    ("wasi-environment", "environment, arguments, folders", "capabilities = ['wasi']", Harmless),
    ("wasi-sockets", "the network", "capabilities = ['wasi']", Fault("refused", SOON)),
    ("wasi-sleep", "a sleep of ten seconds", "capabilities = ['wasi']", Harmless),
    ("wasi-output", "standard output and standard error", "capabilities = ['wasi']", Harmless),
];

#[test]
fn every_probe_is_in_the_corpus_once() {
    let files = fs::read_dir(probes()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let files: BTreeSet<_> = files.filter_map(|name| name.strip_suffix(".wat").map(str::to_owned)).collect();
    let listed: BTreeSet<_> = CORPUS.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!(listed, files);
    assert_eq!(listed.len(), CORPUS.len());
}

/// The most memory that the instance had.
fn memory(decision: &Decision) -> String {
    format!("{} KiB", decision.runs[0].usage.memory.div_ceil(1024))
}

fn kind(decision: &Decision) -> &'static str {
    match &decision.runs.last().unwrap().verdict {
        Verdict::Fault(fault) => fault.kind(),
        Verdict::Allow(_) => "allow",
        Verdict::Deny { .. } => "deny",
    }
}

/// The corpus as a page: regenerated here, and compared with the one that is checked in.
#[test]
fn every_probe_ends_as_the_page_says() {
    let mut page = String::from(
        "# The hostile corpus\n\nWhat each probe in [probes](core/tests/it/probes) tries, and what it comes to. Written by the test `corpus`;\n\
         `SNAPSHOTS=overwrite cargo test -p cogwit-core --test it corpus` writes it anew.\n\n\
         | probe | tries | comes to | within | memory |\n| --- | --- | --- | --- | --- |\n",
    );
    for (name, tries, lines, ends) in CORPUS {
        let admitted = set_of(&probe(name), &format!("{lines}{NO_DEADLINE}"));
        let (comes_to, within, memory) = match (ends, admitted) {
            (Refused(part), Err(rejected)) => {
                let text = rejected.to_string();
                assert!(text.contains(part), "{name}: {text}");
                assert!(!text.contains(char::is_control), "{name}: {text:?}");
                ("refused at load".to_owned(), String::new(), String::new())
            }
            (Fault(expected, most), Ok(set)) => {
                let started = Instant::now();
                let decision = decided(&set, EVENT);
                let took = started.elapsed();
                assert_eq!(kind(&decision), *expected, "{name}: {decision:?}");
                assert!(took < *most, "{name} took {took:?}");
                (format!("fault `{expected}`"), format!("{most:?}"), memory(&decision))
            }
            (Harmless, Ok(set)) => {
                let decision = decided(&set, EVENT);
                let kind = kind(&decision);
                assert!(kind == "allow" || kind == "deny", "{name}: {decision:?}");
                (kind.to_owned(), String::new(), memory(&decision))
            }
            (_, Ok(_)) => panic!("{name} was admitted"),
            (_, Err(rejected)) => panic!("{name} was refused: {rejected}"),
        };
        assert_eq!(reply(&decided(&ALLOWING, EVENT)), EVENT, "after {name}");
        writeln!(page, "| {name} | {tries} | {comes_to} | {within} | {memory} |").unwrap();
    }
    let path = probes().join("../../../../CORPUS.md");
    if std::env::var("SNAPSHOTS").is_ok_and(|it| it == "overwrite") {
        fs::write(&path, &page).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap_or_default(), page);
}

#[test]
fn a_thousand_repeats_of_each_fault_leave_memory_flat() {
    // Those that end by fuel only take their time, and are in the benchmark `endurance` in kind.
    let faulting = CORPUS.iter().filter(|(.., ends)| matches!(ends, Fault(kind, _) if *kind != "fuel"));
    let sets: Vec<_> =
        faulting.map(|(name, _, lines, _)| set_of(&probe(name), &format!("{lines}{NO_DEADLINE}")).unwrap()).collect();
    let round = || sets.iter().for_each(|set| drop(decided(set, EVENT)));
    (0..100).for_each(|_| round());
    // Other tests run beside this one and take memory too; what leaks here grows in each of the nine.
    let grown = (0..9).map(|_| {
        let before = resident();
        (0..100).for_each(|_| round());
        resident().saturating_sub(before)
    });
    let least = grown.min().unwrap();
    assert!(least < 100, "resident memory grew by {least} KiB or more in each hundred rounds");
    assert_eq!(reply(&decided(&ALLOWING, EVENT)), EVENT);
}

/// Resident memory of this process, in KiB.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_panics_text_reaches_the_operator_without_control_characters() {
    let decision = decided(&set_of(&probe("panic-text"), "").unwrap(), EVENT);
    let Verdict::Fault(fault) = &decision.runs[0].verdict else { panic!("{decision:?}") };
    assert_eq!(fault.to_string(), "trapped: at  [31m:8: oh no");
    assert!(!String::from_utf8(reply(&decision)).unwrap().contains("oh no"));
}

#[test]
fn the_host_keeps_the_message_that_it_was_given() {
    let decision = decided(&set_of(&probe("changed-after-return"), "").unwrap(), EVENT);
    assert_eq!(decision.reply.unwrap_err().error_message, "first");
}

#[test]
fn a_flood_of_log_lines_is_cut_and_counted() {
    let decision = decided(&set_of(&probe("log-flood"), "limits = { log-lines = 10 }").unwrap(), EVENT);
    let logs = &decision.runs[0].logs;
    assert_eq!(logs.lines.len(), 10);
    assert!(logs.dropped > 1_000);
}

#[test]
fn components_that_are_too_much() {
    // Without the types of the trigger, so that it is refused in any case.
    let instances = |count: usize| {
        let instances = "(core instance (instantiate $m))".repeat(count);
        let trigger = r#"(instance $e) (export "cogwit:triggers/pre-sign-up@0.1.0" (instance $e))"#;
        refused(&wat::parse_str(format!("(component (core module $m) {instances} {trigger})")).unwrap())
    };
    let functions = format!(
        "(module {} (memory (export \"memory\") 1) (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) (i32.const 8192))
            (func (export \"cogwit:triggers/pre-sign-up@0.1.0#decide\") (param i32) (result i32) (i32.const 0)))",
        "(func (nop))".repeat(10_000)
    );
    let (most, above) = (instances(64), instances(65));
    assert!(!most.contains("core module instances"), "{most}");
    assert!(above.contains("65 core module instances"), "{above}");
    // Many functions only take a while to compile.
    let set = set_of(&component_of(&wat::parse_str(functions).unwrap()), "").unwrap();
    assert_eq!(reply(&decided(&set, EVENT)), EVENT);
}

#[test]
fn a_component_nested_a_thousand_deep() {
    // By hand, since a text parser would recurse: each section holds the next component.
    let mut component = b"\0asm\x0d\0\x01\0".to_vec();
    for _ in 0..1_000 {
        let mut outer = b"\0asm\x0d\0\x01\0\x04".to_vec();
        let mut length = component.len();
        while length >= 0x80 {
            outer.push((length & 0x7f) as u8 | 0x80);
            length >>= 7;
        }
        outer.push(length as u8);
        outer.extend(component);
        component = outer;
    }
    let text = refused(&component);
    assert!(text.contains("nests components more than 4 deep"), "{text}");
}

#[test]
fn code_in_an_inner_component() {
    let composed = wat::parse_str("(component (component (core module)))").unwrap();
    assert!(refused(&composed).contains("add `capabilities = [\"wasi\"]`"));
    let Err(rejected) = set_of(&composed, "capabilities = ['wasi']") else { panic!("was admitted") };
    assert!(rejected.to_string().contains("no trigger interface"), "{rejected}");
}

#[test]
fn names_with_control_characters_reach_nobodys_terminal() {
    let mut component = wat::parse_str("(component (import \"a:b/cd\" (instance)))").unwrap();
    let at = component.windows(6).position(|bytes| bytes == b"a:b/cd").unwrap();
    component[at + 4..at + 6].copy_from_slice(b"\x1b[");
    let text = refused(&component);
    assert!(text.contains("not valid here") && !text.contains(char::is_control), "{text:?}");
}

fn refused(component: &[u8]) -> String {
    let Err(rejected) = set_of(component, "") else { panic!("was admitted") };
    rejected.to_string()
}
