//! Is what becomes of sign-ins by challenges that are under way while a channel comes to name another release.

use cogwit_core::case::{Crossing, cross};
use cogwit_core::config::Config;
use cogwit_core::release::Standing;
use cogwit_core::store::{Admission, PolicySet};

use super::ship::before;
use crate::failure::Failure;
use crate::store::{Store, fetch_failure};

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Flows {
    /// Which of them could not end.
    broken: Vec<String>,
    /// Why nobody knows.
    unknown: Option<String>,
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
        let Some(before) = before(standing) else { return Self::default() };
        let fetched = store.wait(store.bucket.fetch_release(&before.payload.release, false));
        let played = fetched.map_err(|error| fetch_failure(&error).to_string()).and_then(|fetched| {
            let env = |name: &str| std::env::var(name).ok();
            let old = admission.admit(&fetched.package, &config.caps, env).map_err(|error| error.to_string())?;
            Ok(cross((&old, &fetched.tests), new))
        });
        match played {
            Ok(Crossing { broken, knows_an_answer, .. }) => {
                let unknown = "no right answer to their challenges is known: put a case of `verify-auth-challenge-response` with one \
                               into the `tests` of the policy";
                Self { broken, unknown: (!knows_an_answer).then(|| unknown.to_owned()) }
            }
            Err(reason) => Self { broken: Vec::new(), unknown: Some(reason.replace('\n', "; ")) },
        }
    }

    /// What the publisher should know.
    ///
    /// # Errors
    ///
    /// Where sign-ins could not end, unless that is `meant`.
    pub(super) fn warnings(self, meant: bool) -> Result<Vec<String>, Failure> {
        if !self.broken.is_empty() && !meant {
            return Err(Failure::failed(format!(
                "not published, since sign-ins that began before could not end\n{}\nlet the new policies take challenges with the \
                 old private parameters too, or go on with `--break-flows`: whoever signs in meanwhile begins again",
                self.broken.join("\n")
            )));
        }
        let unknown =
            self.unknown.map(|reason| format!("whether sign-ins that began before can end was not checked: {reason}"));
        let broken = self.broken.into_iter().map(|text| format!("sign-ins that began before may not end: {text}"));
        Ok(broken.chain(unknown).collect())
    }
}
