//! Is what becomes of sign-ins by challenges that are under way while a channel comes to name another release.

use cogwit_core::case::broken_flows;
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
            Ok(broken_flows((&old, &fetched.tests), new))
        });
        match played {
            Ok(broken) => Self { broken, unknown: None },
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
                "not published, since sign-ins that began before could not end: let the new policies take the old challenges \
                 too, such as by another name for what create keeps in another form, or go on with `--break-flows`\n{}",
                self.broken.join("\n")
            )));
        }
        let unknown =
            self.unknown.map(|reason| format!("whether sign-ins that began before can end was not checked: {reason}"));
        let broken = self.broken.into_iter().map(|text| format!("sign-ins that began before may not end: {text}"));
        Ok(broken.chain(unknown).collect())
    }
}
