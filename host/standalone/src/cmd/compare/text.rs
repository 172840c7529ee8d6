//! Tells the report to people at a terminal.

use anstyle::AnsiColor;
use bytesize::ByteSize;
use cogwit_core::text::one_line;

use super::difference::Difference;
use super::report::{Comparison, Part, Policy, Report, short};
use super::tally::{Entry, Tally};
use crate::output::styled;

/// What a policy's table tells of each side.
pub(super) const COLUMNS: [&str; 12] =
    ["side", "digest", "runs", "allow", "deny", "fault", "fuel: mean", "median", "p99", "us: median", "p99", "memory"];

/// What is told where nothing can be.
pub(super) const NOT_COMPARED: &str = "not compared: both sides have to answer under one set, each with one component";

/// Why runs are left out, and what helps.
const TOO_MANY: &str = "there are too many policies, components and sets; give it fewer records, or do without --all";

pub(super) fn text(report: &Report<'_>) -> String {
    let mut lines: Vec<_> = head(report).iter().map(|(name, value)| format!("{name:9}  {value}")).collect();
    for policy in &report.policies {
        lines.extend([String::new(), styled(&one_line(policy.name), AnsiColor::Cyan)]);
        lines.extend(table(policy));
        lines.extend(policy.is_not_compared().then(|| format!("  {NOT_COMPARED}")));
        lines.extend(policy.comparisons.iter().flat_map(compared));
        lines.extend(policy.sides.iter().flat_map(told));
    }
    lines.join("\n")
}

/// What was read, in names and values.
pub(super) fn head(report: &Report<'_>) -> Vec<(&'static str, String)> {
    let mut head = vec![("records", report.records.to_string())];
    head.extend(report.span.map(|span| {
        let [first, last] = [span.first, span.last].map(humantime::format_rfc3339_seconds);
        ("time", format!("{first} to {last}"))
    }));
    head.push(("decisions", listed(report.decisions)));
    let sets = report.sets.entries();
    if sets.len() > 1 {
        let digests: Vec<_> = sets.iter().map(|set| format!("{} {}", short(set.name), set.count)).collect();
        head.push(("sets", format!("{}: the tables add them up, whatever their settings", digests.join(", "))));
    }
    let (lines, first) = (report.unreadable.lines, report.unreadable.first.as_ref());
    head.extend(first.map(|first| ("no record", format!("{lines} of the lines; the first is {first}"))));
    let unwatched = Some(report.unwatched).filter(|it| *it > 0);
    head.extend(unwatched.map(|it| ("unwatched", format!("{it}: policies were to look on, and did not"))));
    let left_out = Some(report.left_out).filter(|it| *it > 0);
    head.extend(left_out.map(|it| ("left out", format!("{it} runs: {TOO_MANY}"))));
    let others = Some(report.others).filter(|it| *it > 0);
    head.extend(others.map(|it| ("others", format!("{it} runs of policies without a side: --all tells of them"))));
    if report.policies.is_empty() {
        head.push(("policies", "none has a candidate or looks on".to_owned()));
    }
    head
}

/// The cells of a side, under [`COLUMNS`].
pub(super) fn cells(part: &Part<'_>) -> [String; 12] {
    let group = part.group;
    let (fuel, micros) = (&group.fuel, &group.micros);
    [
        part.side.word().to_owned(),
        short(part.digest),
        group.runs.to_string(),
        group.allows.to_string(),
        group.denials.to_string(),
        group.faults.to_string(),
        fuel.mean().to_string(),
        fuel.median().to_string(),
        fuel.p99().to_string(),
        micros.median().to_string(),
        micros.p99().to_string(),
        ByteSize::b(group.memory_bytes).to_string(),
    ]
}

fn table(policy: &Policy<'_>) -> Vec<String> {
    let rows: Vec<_> = std::iter::once(COLUMNS.map(str::to_owned)).chain(policy.sides.iter().map(cells)).collect();
    let mut lines = vec![" ".to_owned(); rows.len()];
    for column in 0..COLUMNS.len() {
        let cells: Vec<_> = rows.iter().filter_map(|row| row.get(column)).collect();
        let width = cells.iter().map(|cell| cell.chars().count()).max().unwrap_or_default();
        for (line, cell) in lines.iter_mut().zip(cells) {
            // The names stand left, the figures right.
            line.push_str(&if column < 2 { format!(" {cell:width$} ") } else { format!(" {cell:>width$} ") });
        }
    }
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

fn compared(it: &Comparison<'_>) -> [String; 2] {
    [("denials", &it.denials), ("faults", &it.faults)].map(|(what, difference)| {
        let told = difference.to_string();
        let told = if difference.may_be_chance { told } else { styled(&told, AnsiColor::Yellow) };
        format!("  {what} {}: {told}", shares(it, difference))
    })
}

/// The shares that are compared, and where.
pub(super) fn shares(it: &Comparison<'_>, difference: &Difference) -> String {
    let [stable, candidate] = [difference.stable, difference.candidate].map(|share| share * 100.0);
    let [set, before, after] = [it.set, it.stable, it.candidate].map(short);
    format!("in set {set}: {stable:.2} % of stable {before}, {candidate:.2} % of candidate {after}")
}

/// What differed and what broke.
fn told(part: &Part<'_>) -> Vec<String> {
    let group = part.group;
    let who = format!("{} {}", part.side.word(), short(part.digest));
    let looked_on = group.differing.map(|differing| {
        let share = group.share(differing).value() * 100.0;
        let differs = format!("{differing} differ ({share:.2} %)");
        match differing {
            0 => format!("  {who}: {} agree, none differs", group.runs),
            _ => format!(
                "  {who}: {} agree, {}: {}",
                group.runs - differing,
                styled(&differs, AnsiColor::Yellow),
                listed(&group.differs)
            ),
        }
    });
    let broke = (group.faults > 0)
        .then(|| format!("  {who}: {}: {}", styled("faults", AnsiColor::Red), listed(&group.fault_kinds)));
    looked_on.into_iter().chain(broke).collect()
}

/// Each name with how often it came, and where.
fn listed(tally: &Tally) -> String {
    let entry = |entry: Entry<'_>| {
        let counted = format!("{} {}", one_line(entry.name), entry.count);
        match entry.ids {
            [] => counted,
            ids => format!("{counted} ({})", one_line(&ids.join(", "))),
        }
    };
    tally.entries().into_iter().map(entry).collect::<Vec<_>>().join(", ")
}
