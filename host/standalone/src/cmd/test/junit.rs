//! Prints results as the XML of `JUnit`, which build servers read.

use std::io;
use std::time::Duration;

use anstream::adapter::strip_str;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::runner::{Done, Outcome};
use super::text;

pub(super) fn document(done: &[Done], elapsed: Duration) -> io::Result<String> {
    let mut report = Report::new("cogwit test");
    report.set_time(elapsed);
    // A file's cases follow each other.
    for cases in done.chunk_by(|a, b| a.file == b.file) {
        let file = cases.first().map(|done| done.file.display().to_string()).unwrap_or_default();
        let mut suite = TestSuite::new(file.clone());
        suite.set_time(cases.iter().map(|done| done.elapsed).sum());
        suite.add_test_cases(cases.iter().map(|done| case(done, &file)));
        report.add_test_suite(suite);
    }
    report.to_string().map_err(io::Error::other)
}

fn case(done: &Done, file: &str) -> TestCase {
    let name = if done.title.is_empty() { file } else { &done.title };
    let mut case = TestCase::new(name, status(&done.outcome));
    case.set_classname(file).set_time(done.elapsed);
    case
}

fn status(outcome: &Outcome) -> TestCaseStatus {
    let unsuccessful = |kind, message: String, text: &str| {
        let mut status = TestCaseStatus::non_success(kind);
        status.set_message(message).set_description(strip_str(text).to_string());
        status
    };
    match outcome {
        Outcome::Passed(_) => TestCaseStatus::success(),
        Outcome::Failed(ran) => {
            let missed: Vec<_> = ran.checked.mismatches.iter().map(ToString::to_string).collect();
            unsuccessful(NonSuccessKind::Failure, missed.join("; "), &text::why(ran))
        }
        Outcome::CouldNotRun(error) => unsuccessful(NonSuccessKind::Error, first_line(error), error),
        Outcome::NotRun(why) => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(*why);
            status
        }
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
