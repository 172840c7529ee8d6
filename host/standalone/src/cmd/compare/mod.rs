//! Holds what decision records tell of candidates and of policies that look on.

/// The command line, and how the command ends.
mod command;
/// Lines, of files or of standard input.
mod lines;
/// What is read of a record.
mod record;
/// What records add up to.
mod counts;
/// What both sides answered under one set.
mod trial;
/// How values are spread.
mod spread;
/// How often something was so, and where.
mod tally;
/// Whether two shares differ by more than chance.
mod difference;
/// What was found, side by side.
mod report;
/// The report for people at a terminal.
mod text;
/// The report as a page.
mod html;
/// The page's pictures.
mod chart;

pub(crate) use command::{Args, run};
