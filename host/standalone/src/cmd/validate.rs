//! Says whether a host would serve a policy set, and everything that keeps it from that.

use std::process::ExitCode;

use anstyle::AnsiColor;
use bytesize::ByteSize;
use cogwit_core::case;
use cogwit_core::policy::Mode;
use cogwit_core::run::Engine;
use cogwit_core::store::{
    Admission, Finding, MAX_COST_AT_START, MOST_COMPILED_AT_START, Package, PolicySet, cost_at_start,
};
use serde::Serialize;

use super::common::{Format, config_from_env, print};
use crate::failure::{Failure, exit};
use crate::output::styled;
use crate::store::Policies;

/// Makes every check that a host makes before a policy set serves, and names all that is wrong at once
///
/// Document, components, digests, imports, capabilities, limits, settings and the cases of each policy's `tests`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit codes:
  0  a host with these COGWIT_* variables would serve it
  2  the command line or a COGWIT_* variable is wrong
  4  it would not, or the set cannot be read")]
pub(crate) struct Args {
    /// A policy set: a folder with a policies.toml, a policies.toml, a .wasm file, or a channel
    source: String,
    /// json: one object
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Serialize)]
struct Validation {
    source: String,
    set: String,
    admitted: bool,
    policies: Vec<Policy>,
    cases: usize,
    problems: Vec<Found>,
    warnings: Vec<Found>,
}

#[derive(Serialize)]
struct Policy {
    name: String,
    sha256: String,
    triggers: Vec<&'static str>,
    mode: &'static str,
    candidate: Option<Candidate>,
}

#[derive(Serialize)]
struct Candidate {
    sha256: String,
    rollout: u8,
}

#[derive(Serialize)]
struct Found {
    policy: Option<String>,
    text: String,
}

impl From<Finding> for Found {
    fn from(Finding { policy, text, .. }: Finding) -> Self {
        Self { policy, text }
    }
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let validation = validate(&args.source)?;
    print(args.format, &validation, text)?;
    Ok(ExitCode::from(if validation.admitted { exit::ALLOW } else { exit::COULD_NOT_RUN }))
}

fn validate(source: &str) -> Result<Validation, Failure> {
    let config = config_from_env()?;
    let from = Policies::open(source, &config)?;
    let package = from.read()?;
    let tests = from.tests(&package.document);
    let caps = config.caps;
    let engine = Engine::new(1, caps.limits.memory).map_err(Failure::could_not_run)?;
    let admission = Admission::new(engine.clone()).parting_by(config.rollout_key);
    let env = |name: &str| std::env::var(name).ok();
    let (set, problems) = case::admit(&admission, (&package, &tests), &caps, env, None);
    let cases = tests.iter().map(|tests| tests.cases.cases.len()).sum();
    let mut validation = validation(source, &package, cases, set.as_ref(), problems);
    validation.warnings.extend(too_costly_for_lambda(&package, &engine));
    Ok(validation)
}

fn validation(
    source: &str,
    package: &Package,
    cases: usize,
    set: Option<&PolicySet>,
    problems: Vec<Finding>,
) -> Validation {
    let policies = set.iter().flat_map(|set| &set.policies).map(|policy| Policy {
        name: policy.name.clone(),
        sha256: policy.digest.clone(),
        triggers: policy.triggers.iter().map(|trigger| trigger.name()).collect(),
        mode: policy.mode.word(),
        candidate: policy
            .candidate
            .as_ref()
            .map(|candidate| Candidate { sha256: candidate.policy.digest.clone(), rollout: candidate.rollout }),
    });
    Validation {
        source: source.to_owned(),
        set: package.document.set.name.clone(),
        admitted: problems.is_empty(),
        policies: policies.collect(),
        cases,
        problems: problems.into_iter().map(Found::from).collect(),
        warnings: set.iter().flat_map(|set| set.warnings.clone()).map(Found::from).collect(),
    }
}

/// A warning where the Lambda host would not compile the set.
fn too_costly_for_lambda(package: &Package, engine: &Engine) -> Option<Found> {
    let has_native = |name: &str| matches!(package.native.get(name), Some(Ok(_)));
    let cost = cost_at_start(engine, package, has_native);
    let compiled = package.components.iter().filter(|(name, _)| !has_native(name));
    let largest = compiled.map(|(_, bytes)| bytes.len()).max().unwrap_or_default();
    (largest > MOST_COMPILED_AT_START || cost > MAX_COST_AT_START).then(|| Found {
        policy: None,
        text: format!(
            "without machine code the Lambda host refuses it: when it starts, it compiles components of at most {} that take at \
             most {MAX_COST_AT_START} units of work together; the largest here has {}, and all take {cost}: use `cogwit native`, or \
             `publish --native`",
            ByteSize::b(MOST_COMPILED_AT_START as u64),
            ByteSize::b(largest as u64)
        ),
    })
}

fn text(it: &Validation) -> String {
    let mut lines = vec![format!("{}: the set `{}`", it.source, it.set)];
    let width = it.policies.iter().map(|policy| policy.name.len()).max().unwrap_or_default();
    for Policy { name, sha256, triggers, mode, candidate } in &it.policies {
        let does = if *mode == Mode::Shadow.word() { "looks on at" } else { "answers" };
        lines.push(format!("  {name:width$}  {sha256:.12}  {does} {}", triggers.join(", ")));
        lines.extend(candidate.iter().map(|Candidate { sha256, rollout }| {
            format!("  {:width$}  {sha256:.12}  is its candidate, for {rollout} of a hundred users", "")
        }));
    }
    let told = |word, color, found: &Found| {
        let policy = found.policy.as_ref().map(|policy| format!("policy `{policy}`: ")).unwrap_or_default();
        let text = found.text.replace('\n', "\n    ");
        format!("  {}: {policy}{text}", styled(word, color))
    };
    lines.extend(it.warnings.iter().map(|found| told("warning", AnsiColor::Yellow, found)));
    lines.extend(it.problems.iter().map(|found| told("refused", AnsiColor::Red, found)));
    lines.push(match it.problems.len() {
        0 => {
            let cases = match it.cases {
                0 => "no cases to pass".to_owned(),
                1 => "one case passed".to_owned(),
                cases => format!("{cases} cases passed"),
            };
            format!("{}: a host would serve it, {cases}", styled("admitted", AnsiColor::Green))
        }
        1 => format!("{}: one thing is wrong", styled("refused", AnsiColor::Red)),
        wrong => format!("{}: {wrong} things are wrong", styled("refused", AnsiColor::Red)),
    });
    lines.join("\n")
}
