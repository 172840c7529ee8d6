//! Promotes what one channel serves to another, machine code included, so that it stays the same release.

use serde_json::Value;

use crate::channel::Channel;
use crate::program::{Cogwit, json, stderr};

impl Channel {
    /// From `prod` to `next` of the same store, by whom `it` is trusted.
    fn promote(&self) -> Cogwit {
        let [from, to] = [self.place(), self.named("next")];
        self.cogwit("publish").args([&from, &to, "--key", "it.key", "--format", "json"])
    }

    /// Publishes with machine code.
    fn with_native(&self, args: &[&str]) -> Value {
        let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
        let place = self.place();
        let publish = self.strange("publish").args(["four", &place, "--native", &target, "--format", "json"]);
        json(&publish.args(args).ends(0))
    }
}

#[test]
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn machine_code_is_promoted_too() {
    for channel in Channel::each() {
        let first = channel.with_native(&["--key", "it.key"]);
        let promoted = json(&channel.promote().ends(0));
        assert_eq!((&promoted["release"], &promoted["uploaded"]), (&first["release"], &0.into()));
        // Into another store.
        let other = format!("file://{}#next", channel.folder.path("other-store"));
        let publish = channel.cogwit("publish").args([&channel.place(), &other, "--key", "it.key", "--format", "json"]);
        let promoted = json(&publish.ends(0));
        assert_eq!((&promoted["release"], &promoted["uploaded"]), (&first["release"], &3.into()));
        let native = channel.one("native/sha256/");
        channel.put(&native, "garbage");
        let told = stderr(&channel.promote().ends(4).stdout_eq(""));
        assert!(told.contains("was changed: it has the digest"), "{told}");
        assert!(told.contains("`--native` makes it anew"), "{told}");
    }
}

/// Hosts that trust the publisher would run it as their own.
#[test]
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn machine_code_that_nobody_signed_is_not_promoted() {
    let channel = Channel::in_a_folder();
    let first = channel.with_native(&["--unsigned"]);
    let promoted = json(&channel.promote().env("COGWIT_ALLOW_UNSIGNED", "on").ends(0));
    assert_ne!(promoted["release"], first["release"]);
    let warning = promoted["warnings"][0].as_str().unwrap();
    assert!(warning.contains(" is left out, since no trusted key signed it"), "{warning}");
}
