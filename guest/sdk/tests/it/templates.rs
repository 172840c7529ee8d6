//! The policies that `cogwit new` writes, compiled and tested as they stand.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Names each template with its module. They are laid out as `cargo fmt` would for their author, not as this repository is.
macro_rules! templates {
    ($($folder:literal $module:ident $path:literal),+ $(,)?) => {
        $(
            #[rustfmt::skip]
            #[expect(unreachable_pub, reason = "it is the root of a crate of its own")]
            #[path = $path]
            mod $module;
        )+

        const TESTED: &[&str] = &[$($folder),+];
    };
}

templates! {
    "pre-sign-up" pre_sign_up "../../../../host/standalone/src/cmd/new/templates/pre-sign-up/policy.rs",
    "pre-authentication" pre_authentication
        "../../../../host/standalone/src/cmd/new/templates/pre-authentication/policy.rs",
}

#[test]
fn every_template_is_tested() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../host/standalone/src/cmd/new/templates");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let folders = entries.filter(|entry| entry.path().is_dir()).map(|entry| entry.file_name().into_string().unwrap());
    assert_eq!(folders.collect::<BTreeSet<_>>(), TESTED.iter().map(|&name| name.to_owned()).collect());
}
