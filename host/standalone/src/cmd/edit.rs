//! Is what `publish` changes of a set on its way: how many users candidates answer, and which take their policy's place.

use cogwit_core::policy::PolicyDocument;
use cogwit_core::store::Package;

use crate::failure::Failure;

/// What is changed of a set before it is published.
#[derive(Debug, clap::Args)]
pub(super) struct EditArgs {
    /// Let the candidate of a policy answer so many of a hundred users; repeat it for more policies
    #[arg(long, value_name = "POLICY=PERCENT", value_parser = rollout)]
    rollout: Vec<(String, u8)>,
    /// Let the candidate of a policy take its place, or a policy that only looks on answer; repeat it for more policies
    #[arg(long, value_name = "POLICY")]
    promote: Vec<String>,
}

impl EditArgs {
    /// Lays the changes over a set that was read, and drops the components that nothing names any more.
    pub(super) fn lay_over(&self, package: &mut Package) -> Result<(), Failure> {
        let document = &mut package.document;
        for (place, (policy, percent)) in self.rollout.iter().enumerate() {
            if self.rollout.iter().take(place).any(|(earlier, _)| earlier == policy) {
                return Err(Failure::usage(format!("`{policy}` stands in --rollout twice: choose one")));
            }
            let wrong = |reason| Failure::usage(format!("--rollout `{policy}={percent}`: {reason}"));
            document.roll_out(policy, *percent).map_err(wrong)?;
        }
        for policy in &self.promote {
            if self.rollout.iter().any(|(rolled_out, _)| rolled_out == policy) {
                return Err(Failure::usage(format!("`{policy}` stands in --rollout and in --promote: choose one")));
            }
            document.promote(policy).map_err(|reason| Failure::usage(format!("--promote `{policy}`: {reason}")))?;
        }
        let named = |file: &String| {
            let mut files = package.document.policies.iter().flat_map(PolicyDocument::components);
            files.any(|(it, _)| it == file)
        };
        package.components.retain(|file, _| named(file));
        Ok(())
    }
}

/// A policy, and how many of a hundred users.
fn rollout(text: &str) -> Result<(String, u8), String> {
    let parts = text.rsplit_once('=').filter(|(_, percent)| percent.bytes().all(|byte| byte.is_ascii_digit()));
    let read = parts.and_then(|(policy, percent)| Some((policy.to_owned(), percent.parse().ok()?)));
    read.filter(|(_, percent)| *percent <= 100)
        .ok_or_else(|| "write POLICY=PERCENT, such as invitation=25, with 0 to 100".to_owned())
}
