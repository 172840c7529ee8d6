//! Decides whether a policy set may serve: every check at once, and all of it or nothing.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::components::{Artifact, Bounds, Components};
use super::findings::{Finding, Findings, Rejected, finding};
use super::set::Index;
use super::{Candidate, Package, Policy, PolicySet};
use crate::digest::sha256;
use crate::event::{OnFault, Trigger};
use crate::policy::{Caps, Limits, Mode, PolicyDocument, Settings};
use crate::redact::Redactor;
use crate::run::{Chance, End, Engine, Fault, Key as Deadline, LogLevel, Prepared, ShapeError, World, processor_time};

/// The largest component that a host compiles at its start, in bytes, where a log-in waits for it: a policy in Rust takes some
/// 20 ms. A larger one needs machine code. Cognito waits 5 s in all.
pub const MOST_COMPILED_AT_START: usize = 256 << 10;

/// The most that compiling a set may cost a host at its start, in units of work: 1 to 3 s of a processor, so that
/// Lambda's 10 s hold at a third of one. All policies of this project together cost 3.3 million.
pub const MAX_COST_AT_START: u64 = 3_500_000;

/// How long a compilation may take before its caller gives up. Interpreters of JavaScript and Python take up to half a minute.
const COMPILE_TIMEOUT: Duration = Duration::from_secs(120);
/// The same where another set serves meanwhile.
const COMPILE_TIMEOUT_SERVING: Duration = Duration::from_secs(10);

/// What compiling a set costs a host that starts, in units of work, but for the components that `has_native` code for it.
pub fn cost_at_start(engine: &Engine, package: &Package, has_native: impl Fn(&str) -> bool) -> u64 {
    let policies = package.document.policies.iter();
    let named = policies.flat_map(|policy| policy.components().map(|(name, _)| (name, &policy.capabilities)));
    let compiled = named.filter(|(name, _)| !has_native(name));
    let bytes = compiled.filter_map(|(name, granted)| Some((package.components.get(name)?, granted)));
    // Each is compiled once for each set of grants.
    let distinct: BTreeSet<_> = bytes.collect();
    distinct.into_iter().filter_map(|(bytes, _)| engine.compile_cost(bytes).ok()).sum()
}

/// Admits policy sets. A component that a living set has already is not compiled again.
pub struct Admission {
    components: Components,
    /// The most that is compiled, in bytes; a larger component needs machine code.
    most_compiled: usize,
    /// The most that compiling a set may cost, in units of work.
    max_cost: u64,
    /// What users are parted by.
    rollout_key: Option<String>,
    /// Whether sets are admitted while another one serves.
    is_serving: bool,
    has_served: AtomicBool,
}

impl Admission {
    /// Admits to one engine.
    pub fn new(engine: Engine) -> Self {
        Self {
            components: Components::new(engine),
            most_compiled: usize::MAX,
            max_cost: u64::MAX,
            rollout_key: None,
            is_serving: false,
            has_served: AtomicBool::new(false),
        }
    }

    /// Compiles no component of more than `most` bytes, and of a set no more than [`MAX_COST_AT_START`] allows: without machine
    /// code for this host, such components are refused. For hosts that have no time to compile.
    #[must_use]
    pub fn compiling_at_most(self, most: usize) -> Self {
        Self { most_compiled: most, max_cost: MAX_COST_AT_START, ..self }
    }

    /// Gives a compilation up after ten seconds, once a first set serves: for hosts that serve meanwhile and may have to turn
    /// to another release, such as after a rollback. The same set is tried again, and waits on for the same compilation.
    #[must_use]
    pub fn serving(self) -> Self {
        Self { is_serving: true, ..self }
    }

    /// Says that a set serves from now on.
    pub(crate) fn note_served(&self) {
        self.has_served.store(true, Ordering::Relaxed);
    }

    /// Parts users between policies and their candidates by this key. Hosts that shall agree need the same.
    #[must_use]
    pub fn parting_by(self, rollout_key: Option<String>) -> Self {
        Self { rollout_key, ..self }
    }

    /// Admits a set: digests, components, imports, triggers, limits and settings, each policy's own check of its settings
    /// included, which runs under the policy's limits. `env` looks up the variables that settings refer to.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, at once.
    pub fn admit(
        &self,
        package: &Package,
        caps: &Caps,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<PolicySet, Rejected> {
        let mut findings = Findings::default();
        let set = self.admit_into(package, caps, &env, &mut findings);
        // Whoever adds a check need not think of secrets: nothing that was found leaves without this.
        let secrets = package.document.secrets(&env);
        let masked = |it: Finding| Finding { text: secrets.mask(&it.text), ..it };
        let Findings { errors, warnings } = findings;
        if !errors.iter().any(|error| error.out_of_time) {
            self.components.let_go();
        }
        match set.filter(|_| errors.is_empty()) {
            Some(set) => Ok(PolicySet { warnings: warnings.into_iter().map(masked).collect(), ..set }),
            None => Err(Rejected { findings: errors.into_iter().map(masked).collect() }),
        }
    }

    /// The set, unless something was found to be wrong with it. Its warnings are still to be added.
    fn admit_into(
        &self,
        package: &Package,
        caps: &Caps,
        env: impl Fn(&str) -> Option<String>,
        findings: &mut Findings,
    ) -> Option<PolicySet> {
        let document = &package.document;
        // These show their lines as they stand, over several lines.
        let written =
            document.errors.iter().map(|error| Finding { policy: None, text: error.to_string(), out_of_time: false });
        findings.errors.extend(written);
        let base = findings.take(None, document.limits.over(&Limits::default(), caps)).unwrap_or_default();
        let chain_deadline = findings.take_one(None, document.limits.chain_deadline(caps)).unwrap_or_default();
        if document.policies.is_empty() {
            findings.add(None, "the set has no policy: add a `[[policy]]`");
        }
        // Many policies may be of one component.
        let digests = package.components.iter().map(|(name, bytes)| (name.as_str(), sha256(bytes)));
        let digests: BTreeMap<_, _> = digests.collect();
        let timeout = match self.is_serving && self.has_served.load(Ordering::Relaxed) {
            true => COMPILE_TIMEOUT_SERVING,
            false => COMPILE_TIMEOUT,
        };
        let bounds = Bounds {
            bytes: self.most_compiled,
            max_cost: self.max_cost,
            cost_left: &Cell::new(self.max_cost),
            timeout,
        };
        let mut policies = Vec::new();
        for written in &document.policies {
            let admit = |written: &PolicyDocument, findings: &mut Findings| {
                let digest = digests.get(written.component.as_str()).map(String::as_str).unwrap_or_default();
                self.admit_policy((package, digest, &bounds), written, (&base, caps), &env, findings)
            };
            let policy = admit(written, findings);
            let mut of_candidate = Findings::default();
            let candidate = written.of_candidate().and_then(|it| admit(&it, &mut of_candidate));
            findings.add_candidate(of_candidate);
            let Some(mut policy) = policy else { continue };
            if let (Some(candidate), Some(written)) = (candidate, &written.candidate) {
                let candidate = Candidate { policy: candidate, rollout: written.rollout };
                compare(&policy, &candidate, findings);
                policy.candidate = Some(Box::new(candidate));
            }
            policies.push(policy);
        }
        if !findings.errors.is_empty() {
            return None;
        }
        if self.rollout_key.is_none() && policies.iter().any(|policy| policy.candidate.is_some()) {
            findings
                .warn(None, "without COGWIT_ROLLOUT_KEY whoever knows the set can compute which side answers a user, and a host that has the key parts them otherwise");
        }
        let (index, shadows) = (Index::of(&policies, Mode::Enforce), Index::of(&policies, Mode::Shadow));
        for trigger in shadows.keys().filter(|trigger| !index.contains_key(trigger)) {
            let text = "policies only look on: its events are decided as those that no policy answers";
            findings.warn(None, format!("`{trigger}`: {text}"));
        }
        part_challenges(&policies, findings);
        let set = &document.set;
        Some(PolicySet {
            secrets: Redactor::all(policies.iter().flat_map(Policy::sides).map(|it| it.settings.secrets())),
            rollout_key: self.rollout_key.clone().unwrap_or_default(),
            name: set.name.clone(),
            digest: document.digest.clone(),
            index,
            shadows,
            policies,
            unmatched: set.unmatched,
            chain_deadline,
            warnings: Vec::new(),
        })
    }

    fn admit_policy(
        &self,
        (package, digest, bounds): (&Package, &str, &Bounds<'_>),
        written: &PolicyDocument,
        (base, caps): (&Limits, &Caps),
        env: impl Fn(&str) -> Option<String>,
        findings: &mut Findings,
    ) -> Option<Policy> {
        let name = Some(written.name.as_str());
        findings.take_one(name, written.limits.of_policy());
        let limits = findings.take(name, written.limits.over(base, caps));
        let settings = findings.take(name, Settings::resolve(&written.settings, env)).map(Arc::new);
        let Some(bytes) = package.components.get(&written.component) else {
            let absent =
                || format!("the set does not hold `{}`: add the file, or correct `component`", written.component);
            findings.add(name, package.missing.get(&written.component).cloned().unwrap_or_else(absent));
            return None;
        };
        if let Some(promised) = written.sha256.as_ref().filter(|promised| !promised.eq_ignore_ascii_case(digest)) {
            findings.add(
                name,
                format!(
                    "`{}` has the digest {digest}, but `sha256` says {promised}: restore the file, or write the digest anew with `cogwit pack`",
                    written.component
                ),
            );
            return None;
        }
        let native = package.native.get(&written.component);
        let made = self.components.prepare(Artifact { digest, bytes, native, granted: &written.capabilities }, bounds);
        let (prepared, unused) = match made {
            Ok(made) => made,
            Err(errors) => {
                let found = |error: &ShapeError| Finding {
                    out_of_time: error.is_of_time(),
                    ..finding(name, &format!("`{}`: {error}", written.component))
                };
                findings.errors.extend(errors.iter().map(found));
                return None;
            }
        };
        if let Some(reason) = unused {
            findings.warn(name, format!("its machine code is not used, so the component was compiled: {reason}"));
        }
        let triggers = findings.take_one(name, chosen(written, &prepared))?;
        if let Some(trigger) =
            triggers.iter().find(|it| it.is_challenge()).filter(|_| written.on_fault == Some(OnFault::Allow))
        {
            let text = format!(
                "`on-fault` is \"allow\", but a custom sign-in cannot go on without what `{trigger}` answers: remove it, or name other `triggers`"
            );
            findings.add(name, text);
        }
        let decides = triggers.iter().find(|trigger| trigger.on_fault() == OnFault::Deny && !trigger.is_challenge());
        if let Some(trigger) =
            decides.filter(|_| written.on_fault == Some(OnFault::Allow) && written.mode == Mode::Enforce)
        {
            findings.warn(
                name,
                format!("`on-fault` is \"allow\", so whoever can make it fault gets past it at `{trigger}`"),
            );
        }
        let (limits, settings) = (limits?, settings?);
        check(&prepared, name, &limits, &settings, findings);
        Some(Policy {
            name: written.name.clone(),
            digest: digest.to_owned(),
            triggers,
            when: written.when.clone(),
            mode: written.mode,
            on_fault: written.on_fault,
            limits,
            settings,
            prepared,
            candidate: None,
        })
    }
}

/// Holds a candidate against the policy that it stands in for: what one of them answers, the other answers too.
fn compare(policy: &Policy, Candidate { policy: candidate, rollout }: &Candidate, findings: &mut Findings) {
    let name = Some(policy.name.as_str());
    let sorted = |policy: &Policy| policy.triggers.iter().copied().collect::<BTreeSet<_>>();
    let named =
        |triggers: BTreeSet<Trigger>| triggers.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ");
    let (own, other) = (sorted(policy), sorted(candidate));
    if policy.mode == Mode::Shadow {
        findings.add(name, "it looks on, and its candidate would answer nobody: remove `candidate` or `mode`");
    } else if own != other {
        let text = format!(
            "it answers {}, but its candidate {}: name the `triggers` that both answer",
            named(own),
            named(other)
        );
        findings.add(name, text);
    } else if own.contains(&Trigger::PreSignUp) && (1..100).contains(rollout) {
        findings.warn(name, "its candidate answers a part of the sign-ups, and whoever signs up can try several names");
    }
}

/// Warns of candidates whose users come to the other side of another policy in the same sign-in.
fn part_challenges(policies: &[Policy], findings: &mut Findings) {
    let of_challenges = |policy: &Policy| policy.triggers.iter().any(|trigger| trigger.is_challenge());
    let answering: Vec<_> =
        policies.iter().filter(|policy| policy.mode == Mode::Enforce && of_challenges(policy)).collect();
    for policy in answering.iter().filter(|_| answering.len() > 1) {
        if policy.candidate.as_ref().is_some_and(|candidate| (1..100).contains(&candidate.rollout)) {
            let text = "its candidate has a part of the sign-ins by challenges, and other policies have a part in each: whoever \
                        comes to one side here may come to either side there, so each has to understand both";
            findings.warn(Some(&policy.name), text);
        }
    }
}

/// The triggers that the document chose, or all that the component answers.
fn chosen(written: &PolicyDocument, prepared: &Prepared) -> Result<Vec<Trigger>, String> {
    let answers = prepared.answers();
    let Some(wanted) = &written.triggers else { return Ok(answers.to_vec()) };
    match wanted.iter().find(|trigger| !answers.contains(trigger)) {
        None => Ok(wanted.clone()),
        Some(missing) => {
            let answers = answers.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ");
            Err(format!("`{}` does not answer `{missing}`, only {answers}: correct `triggers`", written.component))
        }
    }
}

/// The processor time of a check. Fuel bounds its work; a decision's deadline could refuse a set that is right.
const CHECK_DEADLINE: Duration = Duration::from_secs(2);

/// Instantiates the component once: its types are only compared then, and it may check its settings.
fn check(prepared: &Prepared, name: Option<&str>, limits: &Limits, settings: &Arc<Settings>, findings: &mut Findings) {
    let limits = &Limits { deadline: limits.deadline.max(CHECK_DEADLINE), ..limits.clone() };
    let end =
        End { since: processor_time(), limit: Duration::from_secs(3600), key: Deadline::Host, clock: processor_time };
    let world =
        World { limits, end, settings, raw_event: &Arc::from(""), chance: Chance::real(), place: 0, lowering: 0 };
    let ran = prepared.check(&world);
    match ran.result {
        Ok(Ok(())) => {}
        Ok(Err(text)) => findings.add(name, format!("its settings are refused: {text}")),
        // Without the time that it took, which differs from one try to the next: it is told once.
        Err(Fault::Deadline { limit, .. }) => {
            let text =
                format!("it was not judged: starting it took more than {limit:?} of processor time; it is tried again");
            findings.errors.push(Finding { out_of_time: true, ..finding(name, &text) });
        }
        Err(fault) => findings.add(name, format!("it broke when it was started once: {fault}")),
    }
    ran.logs
        .lines
        .iter()
        .filter(|line| line.level >= LogLevel::Warn)
        .for_each(|line| findings.warn(name, &line.message));
}
