//! Measures a decision: event bytes to reply bytes, beside a native function that does the same JSON work.
//!
//! `cargo bench -p cogwit-core` prints the medians of one run; compare them with each other, not with another day's.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a benchmark fails loudly")]

use std::hint::black_box;
use std::path::Path;

use cogwit_core::policy::Caps;
use cogwit_core::run::{Chance, Engine};
use cogwit_core::store::{Admission, PolicySet, Source};
use cogwit_core::{Call, decide};
use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::{Value, json};

const EVENT: &[u8] = include_bytes!("../../tests/scenarios/pre-sign-up/default-set-confirms/event.json");

fn admitted(admission: &Admission, source: &Source) -> PolicySet {
    admission.admit(&source.read().unwrap(), &Caps::default(), |_| None).unwrap()
}

fn decided(set: &PolicySet) -> Vec<u8> {
    decide(set, &Call::new(black_box(EVENT), "bench", Chance::real())).reply.unwrap()
}

/// What `auto-confirm-domain` does, as a Lambda function in Rust would do it.
fn native(event: &[u8]) -> Vec<u8> {
    let mut event: Value = serde_json::from_slice(event).unwrap();
    let attributes = &event["request"]["userAttributes"];
    let domain = attributes["email"].as_str().and_then(|email| email.rsplit_once('@')).map(|(_, domain)| domain);
    let confirm = domain.is_some_and(|domain| {
        attributes["custom:domain"].as_str().is_some_and(|registered| registered.eq_ignore_ascii_case(domain))
    });
    event["response"]["autoConfirmUser"] = json!(confirm);
    serde_json::to_vec(&event).unwrap()
}

fn benchmark(criterion: &mut Criterion) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies-wasm");
    let admission = Admission::new(Engine::new(16, Caps::default().limits.memory).unwrap());
    let one = admitted(&admission, &Source::Components(vec![folder.join("auto-confirm-domain.wasm")]));
    let two = admitted(&admission, &Source::Document(folder.join("policies.toml")));
    let mut group = criterion.benchmark_group("decision");
    group.bench_function("native function", |bencher| bencher.iter(|| native(black_box(EVENT))));
    group.bench_function("one policy", |bencher| bencher.iter(|| decided(&one)));
    group.bench_function("default set, two policies", |bencher| bencher.iter(|| decided(&two)));
    group.finish();
}

criterion_group!(benches, benchmark);
criterion_main!(benches);
