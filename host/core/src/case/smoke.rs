//! Runs the cases that a policy set names for its own policies.

use std::time::Instant;

use super::{Case, Checked};
use crate::policy::{Caps, Mode};
use crate::run::Fault;
use crate::store::{Admission, Finding, Package, PolicySet, Side, Tests};

/// Admits a set and runs its cases: the set, where it is admitted, and everything that keeps it from serving. After `until` no
/// further case is begun.
pub fn admit(
    admission: &Admission,
    (package, tests): (&Package, &[Tests]),
    caps: &Caps,
    env: impl Fn(&str) -> Option<String>,
    until: Option<Instant>,
) -> (Option<PolicySet>, Vec<Finding>) {
    // Whoever adds a check need not think of secrets: nothing leaves without this.
    let secrets = package.document.secrets(&env);
    let masked = |it: Finding| Finding { text: secrets.mask(&it.text), ..it };
    let (set, findings) = match admission.admit(package, caps, &env) {
        Ok(set) => {
            let problems = smoke(admission, &set, (package, tests), caps, env, until);
            (Some(set), problems)
        }
        Err(rejected) => (None, rejected.findings.into_iter().chain(unreadable(tests)).collect()),
    };
    (set, findings.into_iter().map(masked).collect())
}

/// The same for a host, which serves a set as a whole or not at all.
///
/// # Errors
///
/// Everything that keeps the set from serving, a line each.
pub fn admit_to_serve(
    admission: &Admission,
    of: (&Package, &[Tests]),
    caps: &Caps,
    env: impl Fn(&str) -> Option<String>,
    until: Option<Instant>,
) -> Result<PolicySet, NotAdmitted> {
    match admit(admission, of, caps, env, until) {
        (Some(set), problems) if problems.is_empty() => {
            admission.note_served();
            Ok(set)
        }
        (_, problems) => Err(NotAdmitted {
            out_of_time: problems.iter().all(|finding| finding.out_of_time),
            reason: problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        }),
    }
}

/// Why a set does not serve.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct NotAdmitted {
    /// Everything that keeps it from serving, a line each.
    pub reason: String,
    /// Whether all of that is checks that ran out of time, so that the set is not judged.
    pub out_of_time: bool,
}

/// Runs the `tests` of a set's policies, and says what failed. `set` is what was admitted of the package. After `until` no
/// further case is begun.
fn smoke(
    admission: &Admission,
    set: &PolicySet,
    (package, tests): (&Package, &[Tests]),
    caps: &Caps,
    env: impl Fn(&str) -> Option<String>,
    until: Option<Instant>,
) -> Vec<Finding> {
    let mut findings = unreadable(tests);
    for tests in tests {
        for (place, case) in &tests.cases.cases {
            if until.is_some_and(|until| until <= Instant::now()) {
                return findings;
            }
            let mut add = |side, text, out_of_time| {
                let text = format!("{}{}: {text}", case.title(*place), Side::label(side));
                findings.push(Finding { out_of_time, ..finding(tests, &text) });
            };
            match run(admission, (&tests.policy, case), set, package, caps, &env) {
                Ok(checked) => checked.iter().for_each(|checked| {
                    let out_of_time = checked.decision.faults().any(|fault| matches!(fault, Fault::Deadline { .. }));
                    checked.mismatches.iter().for_each(|it| add(checked.side, it.to_string(), out_of_time));
                }),
                Err(NotAdmitted { reason, out_of_time }) => add(None, reason, out_of_time),
            }
        }
    }
    findings
}

/// What of a set's cases cannot be read.
fn unreadable(tests: &[Tests]) -> Vec<Finding> {
    tests.iter().flat_map(|tests| tests.cases.errors.iter().map(|error| finding(tests, error))).collect()
}

fn finding(tests: &Tests, text: &str) -> Finding {
    Finding { policy: Some(tests.policy.clone()), text: format!("`{}`: {text}", tests.file), out_of_time: false }
}

fn run(
    admission: &Admission,
    (policy, case): (&str, &Case),
    set: &PolicySet,
    package: &Package,
    caps: &Caps,
    env: impl Fn(&str) -> Option<String>,
) -> Result<Option<Checked>, NotAdmitted> {
    let refused = |reason: String| NotAdmitted { reason, out_of_time: false };
    if case.set.is_some() || case.components.is_some() || case.candidate.is_some() {
        let reason = "it names other policies, but `tests` are of this set: remove the key, or the case";
        return Err(refused(reason.to_owned()));
    }
    let looks_on = set.policies.iter().any(|it| it.name == policy && it.mode == Mode::Shadow);
    if case.is_of_the_set() && !looks_on {
        return Ok(case.check(set));
    }
    let mut package = package.clone();
    // The cases of a policy that looks on say what it is to answer once it does.
    if looks_on {
        package.document.promote(policy).map_err(refused)?;
    }
    case.lay_over(&mut package).map_err(refused)?;
    let env = |name: &str| case.env.get(name).cloned().or_else(|| env(name));
    let set = admission.admit(&package, caps, env).map_err(|rejected| NotAdmitted {
        reason: rejected.to_string(),
        out_of_time: rejected.findings.iter().all(|finding| finding.out_of_time),
    })?;
    Ok(case.check(&set))
}
