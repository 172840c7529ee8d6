//! Holds the reports that the README shows to what the command prints.

use std::fs;
use std::path::Path;

use crate::program::{cogwit, stderr, stdout};

/// A report without the wall times, which differ from run to run.
fn without_times(text: &str) -> Vec<String> {
    let untimed = |line: &str| match line.rsplit_once(", ") {
        Some((before, time)) if time.ends_with("us)") || time.ends_with(" ms)") => format!("{before})"),
        _ => line.to_owned(),
    };
    text.trim_end().lines().map(untimed).collect()
}

#[test]
fn the_reports_that_the_readme_shows_are_what_is_printed() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = without_times(&fs::read_to_string(readme).unwrap()).join("\n");
    let refused = r#"{"triggerSource":"PreSignUp_SignUp","userName":"rroe","response":{}}"#;
    for (command, code) in [(cogwit("run"), 0), (cogwit("run").arg("-").stdin(refused), 1)] {
        let report = without_times(&stderr(&command.ends(code))).join("\n");
        assert!(readme.contains(&report), "the README does not show\n{report}");
    }
    let colleague = ["signup", "--attribute=email=kaia@example.com", "--attribute=custom:domain=example.com"];
    let played = without_times(&stdout(&cogwit("simulate").args(colleague).ends(0))).join("\n");
    assert!(readme.contains(&played), "the README does not show\n{played}");
}
