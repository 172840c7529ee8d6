//! Is what becomes of sign-ins by challenges that are under way while a channel comes to name another release.

use cogwit_core::case::{Crossing, cross};
use cogwit_core::config::Config;
use cogwit_core::event::Trigger;
use cogwit_core::policy::{Mode, PolicyDocument};
use cogwit_core::release::Standing;
use cogwit_core::run::Engine;
use cogwit_core::store::{Admission, Package, PolicySet};

use crate::failure::Failure;
use crate::store::{Store, fetch_failure};

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Flows {
    /// Which of them could not end.
    broken: Vec<String>,
    /// Why nobody knows.
    unknown: Option<String>,
    /// Whether nothing was tried, although there may be some.
    untried: bool,
}

impl Flows {
    /// Lets the set that the channel names make challenges, and `new` judge the answers. Where there is no channel, or none that
    /// can be trusted, no sign-in of it counts.
    pub(super) fn of(
        (store, standing): (&Store, &Standing),
        admission: &Admission,
        new: &PolicySet,
        config: &Config,
    ) -> Self {
        let Some(before) = standing.served() else { return Self::default() };
        let digest = &before.payload.release;
        let fetched = match store.wait(store.bucket.fetch_release(digest, false)) {
            Ok(fetched) => fetched,
            Err(error) => {
                // What the one before answers is not known. What it names is, or what takes its place.
                let named = store.release(digest).is_ok_and(|it| it.policies.policies.iter().any(names_challenge));
                let untried = named || new.answers().into_iter().any(Trigger::is_challenge);
                return Self::unknown(&fetch_failure(&error).to_string(), untried);
            }
        };
        let env = |name: &str| std::env::var(name).ok();
        let Crossing { broken, knows_an_answer, .. } = match admission.admit(&fetched.package, &config.caps, env) {
            Ok(old) => cross((&old, &fetched.tests), new),
            Err(rejected) => return Self::unknown(&rejected.to_string(), may_challenge(&fetched.package, config)),
        };
        let unknown = "no right answer to their challenges is known: put a case of `verify-auth-challenge-response` with one \
                       into the `tests` of the policy";
        Self { broken, unknown: (!knows_an_answer).then(|| unknown.to_owned()), untried: false }
    }

    fn unknown(reason: &str, untried: bool) -> Self {
        Self { broken: Vec::new(), unknown: Some(reason.replace('\n', "; ")), untried }
    }

    /// What the publisher should know.
    ///
    /// # Errors
    ///
    /// Where sign-ins could not end, or nobody could try whether they can, unless that is `meant`.
    pub(super) fn warnings(self, meant: bool) -> Result<Vec<String>, Failure> {
        if !self.broken.is_empty() && !meant {
            return Err(Failure::failed(format!(
                "not published, since sign-ins that began before could not end\n{}\nlet the new policies take challenges with the \
                 old private parameters too, or go on with `--break-flows`: whoever signs in meanwhile begins again",
                self.broken.join("\n")
            )));
        }
        if let Some(reason) = self.unknown.as_ref().filter(|_| self.untried && !meant) {
            return Err(Failure::failed(format!(
                "not published, since whether sign-ins that began before can end cannot be tried here: the set that serves is not \
                 to be had\n{reason}\nmend that, such as by the COGWIT_SECRET_* that it wants, or go on with `--break-flows`: \
                 whoever signs in meanwhile may have to begin again"
            )));
        }
        let unknown =
            self.unknown.map(|reason| format!("whether sign-ins that began before can end was not checked: {reason}"));
        let broken = self.broken.into_iter().map(|text| format!("sign-ins that began before may not end: {text}"));
        Ok(broken.chain(unknown).collect())
    }
}

/// Whether a policy is written to answer a step of a custom sign-in.
fn names_challenge(policy: &PolicyDocument) -> bool {
    policy.triggers.iter().flatten().any(|trigger| trigger.is_challenge())
}

/// Whether a set that is not admitted here answers such steps on other hosts, by what it names and what its components export.
fn may_challenge(package: &Package, config: &Config) -> bool {
    let Ok(engine) = Engine::new(1, config.caps.limits.memory) else { return true };
    let is_challenge = |name: &String| {
        let trigger = name.split('@').next().and_then(|name| name.parse::<Trigger>().ok());
        trigger.is_some_and(Trigger::is_challenge)
    };
    let exports_challenge = |policy: &PolicyDocument| {
        let shape = package.components.get(&policy.component).and_then(|bytes| engine.inspect(bytes).ok());
        shape.is_some_and(|shape| shape.triggers.iter().any(is_challenge))
    };
    let mut policies = package.document.policies.iter().filter(|policy| policy.mode == Mode::Enforce);
    policies.any(|policy| if policy.triggers.is_some() { names_challenge(policy) } else { exports_challenge(policy) })
}
