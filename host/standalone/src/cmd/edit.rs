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
        for (policy, percent) in &self.rollout {
            let wrong = |reason| Failure::usage(format!("--rollout `{policy}={percent}`: {reason}"));
            document.roll_out(policy, *percent).map_err(wrong)?;
        }
        for policy in &self.promote {
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
    let read = text.rsplit_once('=').and_then(|(policy, percent)| Some((policy.to_owned(), percent.parse().ok()?)));
    read.filter(|(_, percent)| *percent <= 100)
        .ok_or_else(|| "write POLICY=PERCENT, such as invitation=25, with 0 to 100".to_owned())
}
