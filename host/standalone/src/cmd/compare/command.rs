//! Is the command line of `cogwit compare`, and how it ends.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ValueEnum, value_parser};

use super::counts::Counts;
use super::record::Record;
use super::report::{Report, Unreadable};
use super::{html, lines, text};
use crate::failure::{Failure, exit};
use crate::output::{data, out};

/// Compares candidates with what they are to replace, and policies that look on with the answers, from records
///
/// Records are the JSON lines that a host writes, one for each decision; whatever stands before the first { of a line is passed
/// over. A policy's runs are told by side and by component; medians and 99th percentiles are within 0.2 %.
///
/// Whether a candidate's denials and faults may be more or fewer by chance is told by the 95 % interval of the difference, for
/// each set under which both sides answered: every step of a rollout is a set of its own, and parts the users otherwise. Of
/// twenty intervals where nothing differs, one says that something does; and it takes each run as independent of the others, so
/// a few users with many runs each make it too narrow.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit codes:
  0  compared; with --check: and nothing differs
  1  with --check: they differ
  2  the command line is wrong
  4  a file cannot be read, or none of the lines is a record; with --check: nobody looked on, and no
     set has answers of both sides

Examples:
  cogwit serve --policies policies/ >records.jsonl
  cogwit compare records.jsonl
  cogwit compare --format html records.jsonl >comparison.html
  aws logs tail /aws/lambda/cogwit --since 1d --format short | cogwit compare -")]
pub(crate) struct Args {
    /// Files of records, or - for standard input
    #[arg(value_name = "FILE", default_value = "-")]
    files: Vec<PathBuf>,
    /// Tell of the policies too that have no candidate and do not look on
    #[arg(long)]
    all: bool,
    /// Name so many records for each difference and each kind of fault, 0 to 100
    #[arg(long, value_name = "NUMBER", default_value_t = 3, value_parser = value_parser!(u8).range(..=100))]
    examples: u8,
    /// End with 1 if a policy that looks on disagrees with an answer, or a candidate's denials or faults differ by more
    /// than chance; with 4 if nobody looked on and no candidate was compared
    #[arg(long)]
    check: bool,
    /// json: one object; html: one page, with charts
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// A check that saw nothing has found nothing wrong, and that is no reason to go on.
const UNCHECKED: &str = "nothing was checked: nobody looked on, and no set has answers of both sides; give it records of a longer \
                         time, under a set with a candidate that answers some users or with a policy of the mode `shadow`";

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
    Html,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let mut counts = Counts::new(args.all, args.examples.into());
    let mut unreadable = Unreadable::default();
    lines::each(&args.files, |at, line| {
        let record = match line {
            Some([]) => return,
            Some(line) => Record::read(line),
            None => Err("it is longer than a record can be".to_owned()),
        };
        match record {
            Ok(record) => counts.add(&record),
            Err(reason) => unreadable.add(at, &reason),
        }
    })?;
    if counts.records == 0 {
        return Err(nothing(&unreadable));
    }
    let report = Report::of(&counts, &unreadable);
    let written = match args.format {
        Format::Text => out(&(text::text(&report) + "\n")),
        Format::Json => data(&(serde_json::to_string(&report).map_err(Failure::could_not_run)? + "\n")),
        Format::Html => data(&(html::page(&report) + "\n")),
    };
    written.map_err(Failure::unwritable)?;
    if args.check && !report.says_something() {
        return Err(Failure::could_not_run(UNCHECKED));
    }
    Ok(ExitCode::from(if args.check && report.differs() { exit::FAILED } else { exit::ALLOW }))
}

fn nothing(unreadable: &Unreadable) -> Failure {
    let mend = "give it what a host writes to standard output, or the log of the Lambda function";
    Failure::could_not_run(match &unreadable.first {
        None => format!("there is nothing to compare: {mend}"),
        Some(first) => format!("none of {} lines is a record: {first}; {mend}", unreadable.lines),
    })
}
