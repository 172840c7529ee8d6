//! Which cases run: `--run` and `--fail-fast`.

use super::probes::{set, statuses};
use crate::support::Folder;

fn folder() -> Folder {
    let cases = "source = 'PreSignUp_SignUp'\npolicies = ['confirm']\nexpect.decision = 'allow'\n\
                 [[case]]\nname = 'short name'\n[[case]]\nname = 'long name'\n[[case]]\n";
    set().with("cases/names.toml", cases).with("case.toml", cases.split("[[").next().unwrap())
}

#[test]
fn cases_are_chosen_by_a_pattern_over_file_and_name() {
    let folder = folder();
    for (pattern, chosen) in [
        ("short", &["short name"][..]),
        ("^cases/names.toml: (short|long) name$", &["short name", "long name"]),
        ("cases/.*: case 3", &["case 3"]),
        ("^case.toml$", &[""]),
        ("(?i)NAME$", &["short name", "long name"]),
        ("", &["", "short name", "long name", "case 3"]),
    ] {
        let names: Vec<_> =
            statuses(folder.cogwit("test").args(["--run", pattern]), 0).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, chosen, "{pattern}");
    }
}

/// Cases that already run in other threads end, and those before them are never left out.
#[test]
fn with_fail_fast_no_case_begins_after_one_that_did_not_pass() {
    let many: String = (0..200).map(|place| format!("[[case]]\nname = '{place}'\n")).collect();
    let top = "source = 'PreSignUp_SignUp'\npolicies = ['confirm']\nexpect.decision = 'allow'\n";
    for (third, told, code) in [("expect.decision = 'deny'", "failed", 1), ("set = 'nowhere'", "could-not-run", 4)] {
        let cases = format!("{top}{}", many.replacen("'2'\n", &format!("'2'\n{third}\n"), 1));
        let folder = set().with("case.toml", cases);
        let all = statuses(folder.cogwit("test").arg("--fail-fast"), code);
        assert_eq!(all.len(), 200);
        let of = |status: &str| all.iter().filter(|(_, it)| it == status).count();
        assert_eq!((all[0].1.as_str(), all[1].1.as_str(), all[2].1.as_str()), ("passed", "passed", told));
        assert!(of("not-run") > 100 && all[199].1 == "not-run", "{} not run", of("not-run"));
        assert_eq!((of("not-run") + of("passed"), of(told)), (199, 1));
        // Without it, all of them.
        let all = statuses(folder.cogwit("test"), code);
        assert_eq!(all.iter().filter(|(_, it)| it == "passed").count(), 199);
    }
}
