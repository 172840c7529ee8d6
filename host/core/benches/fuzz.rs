//! Feeds what nobody would write: mutated events to the line, and mutated components to admission and the line.
//!
//! `cargo bench -p cogwit-core --bench fuzz -- events 60` (or `components`) runs for 60 seconds; a third number is the seed.
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a proof prints and fails loudly")]

#[expect(dead_code, reason = "shared with the tests")]
#[path = "../../tests/scenario.rs"]
mod scenario;
#[expect(dead_code, reason = "shared with the tests")]
#[path = "../tests/it/support.rs"]
mod support;

use std::fs;
use std::ops::Range;
use std::time::{Duration, Instant};

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use cogwit_core::event::Object;
use cogwit_core::store::Source;
use support::{ALLOWING, admit, decided, probe, probes, reply, set_of};

const EVENT: &[u8] = br#"{"userName":"rroe","request":{"userAttributes":{"email":"r@example.com"}},"response":{}}"#;

/// Pieces of JSON and of events, to be put anywhere.
const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "null",
    "true",
    "-0",
    "1E400",
    "\\ud800",
    "\\u0000",
    "\u{feff}",
    "\r\n",
    " ",
    "{}",
    "[[[[",
    "\"response\":",
    "\"response\":null,",
    "\"request\":{",
    "\"userAttributes\":",
    "\"autoConfirmUser\":",
    "\"respon\\u0073e\":{}",
    "\"triggerSource\":\"PreSignUp_SignUp\"",
    "\"email\":\"a@b\"",
    "\"custom:domain\":\"b\"",
    "\u{0}",
    "\u{7f}",
    "é",
    "\u{1F600}",
];

struct Chaos(ChaCha20Rng);

impl Chaos {
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.0.next_u64()).unwrap() % end.max(1)
    }

    fn range(&mut self, length: usize) -> Range<usize> {
        let start = self.below(length + 1);
        start..(start + self.below(24)).min(length)
    }

    /// Changes bytes in a few places.
    fn mutate(&mut self, bytes: &mut Vec<u8>, pieces: &[&str]) {
        for _ in 0..=self.below(6) {
            let range = self.range(bytes.len());
            match self.below(if pieces.is_empty() { 4 } else { 6 }) {
                0 | 1 if !bytes.is_empty() => {
                    let at = self.below(bytes.len());
                    let bit = self.below(8);
                    bytes.get_mut(at).into_iter().for_each(|byte| *byte ^= 1 << bit);
                }
                2 => drop(bytes.drain(range)),
                3 => {
                    let copied = bytes.get(range.clone()).unwrap_or_default().to_vec();
                    drop(bytes.splice(range.end..range.end, copied));
                }
                _ => {
                    let piece = pieces.get(self.below(pieces.len())).copied().unwrap_or_default();
                    drop(bytes.splice(range.start..range.start, piece.bytes()));
                }
            }
        }
    }
}

/// What stands before and after the value of `response`.
fn around(event: &str) -> Option<(&str, &str)> {
    let value = Object::parse(event, "it").ok()?.get("response")?;
    let at = value.as_ptr().addr() - event.as_ptr().addr();
    Some((event.get(..at)?, event.get(at + value.len()..)?))
}

fn events(chaos: &mut Chaos, until: Instant) -> u64 {
    let corpus: Vec<_> = scenario::all().iter().map(|scenario| fs::read(&scenario.event).unwrap()).collect();
    let component = fs::read(scenario::policies_wasm().join("auto-confirm-domain.wasm")).unwrap();
    let confirming = set_of(&component, "limits = { deadline = '5 s' }").unwrap();
    // Every trigger, with an answer for each of its members.
    let merging = probes().join("../../../../tests/sets/merge.toml");
    let sets = [confirming, admit(&Source::Document(merging).read().unwrap()).unwrap()];
    let (mut tried, mut allowed) = (0, 0_u64);
    while Instant::now() < until {
        let mut event = corpus.get(chaos.below(corpus.len())).unwrap().clone();
        chaos.mutate(&mut event, PIECES);
        let decision = decided(sets.get(chaos.below(sets.len())).unwrap(), &event);
        tried += 1;
        let Ok(replied) = &decision.reply else { continue };
        allowed += 1;
        let (sent, replied) = (std::str::from_utf8(&event).unwrap(), std::str::from_utf8(replied).unwrap());
        let echoed = match around(sent) {
            Some(around_sent) => around(replied) == Some(around_sent),
            None => {
                let (open, close) = sent.rsplit_once('}').unwrap();
                sent == replied || replied.starts_with(open) && replied.ends_with(&format!("}}}}{close}"))
            }
        };
        assert!(echoed && Object::parse(replied, "it").is_ok(), "{sent:?}\nbecame\n{replied:?}");
    }
    println!("{allowed} of them were allowed");
    tried
}

fn components(chaos: &mut Chaos, until: Instant) -> u64 {
    let shipped = fs::read_dir(scenario::policies_wasm()).unwrap().map(|entry| entry.unwrap().path());
    let shipped = shipped.filter(|path| path.extension().is_some_and(|it| it == "wasm"));
    let mut corpus: Vec<_> = shipped.map(|path| fs::read(path).unwrap()).collect();
    corpus.extend(["allow", "huge-message", "wasi-output", "create-secret"].map(probe));
    corpus.push(fs::read(probes().join("deny-short-username-wasip2.wasm")).unwrap());
    let (mut tried, mut admitted) = (0, 0_u64);
    while Instant::now() < until {
        let mut component = corpus.get(chaos.below(corpus.len())).unwrap().clone();
        chaos.mutate(&mut component, &[]);
        let started = Instant::now();
        if let Ok(set) = set_of(&component, "capabilities = ['wasi']") {
            admitted += 1;
            drop(reply(&decided(&set, EVENT)));
        }
        tried += 1;
        assert!(started.elapsed() < Duration::from_secs(20), "took {:?}", started.elapsed());
        assert_eq!(reply(&decided(&ALLOWING, EVENT)), EVENT);
    }
    println!("{admitted} of them were admitted and ran");
    tried
}

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).filter(|it| it != "--bench").collect();
    let number = |at: usize, or: u64| arguments.get(at).map_or(or, |text| text.parse().unwrap());
    let (seconds, seed) = (number(1, 10), number(2, 1));
    let until = Instant::now() + Duration::from_secs(seconds);
    let mut chaos = Chaos(ChaCha20Rng::seed_from_u64(seed));
    let tried = match arguments.first().map_or("events", String::as_str) {
        "events" => events(&mut chaos, until),
        "components" => components(&mut chaos, until),
        other => panic!("`{other}` is no target: write `events` or `components`"),
    };
    println!("{tried} inputs in {seconds} s, seed {seed}: no crash, no hang, no wrong echo");
}
