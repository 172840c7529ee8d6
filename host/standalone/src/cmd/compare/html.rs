//! Tells the report as one page that needs nothing else: no script, no font, no picture from elsewhere.

use std::fmt::{self, Write};

use cogwit_core::text::one_line;

use super::chart::{self, Bar, Series};
use super::report::{Comparison, Part, Policy, Report, short};
use super::tally::{Entry, Tally};
use super::text::{COLUMNS, NOT_COMPARED, cells, head, shares};

const STYLE: &str = include_str!("page.css");

/// Nothing is loaded, and nothing runs, whatever a record brought in.
const SECURITY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// A text as HTML shows it, on one line. Records may say anything.
pub(super) struct Safe<'a>(pub(super) &'a str);

impl fmt::Display for Safe<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        one_line(self.0).chars().try_for_each(|c| match c {
            '&' => formatter.write_str("&amp;"),
            '<' => formatter.write_str("&lt;"),
            '>' => formatter.write_str("&gt;"),
            '"' => formatter.write_str("&quot;"),
            '\'' => formatter.write_str("&#39;"),
            _ => formatter.write_char(c),
        })
    }
}

pub(super) fn page(report: &Report<'_>) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write_page(&mut out, report);
    out
}

fn write_page(out: &mut String, report: &Report<'_>) -> fmt::Result {
    write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{SECURITY}\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <title>cogwit compare</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>Policies compared</h1>\n<dl>\n"
    )?;
    for (name, value) in head(report) {
        writeln!(out, "<dt>{name}</dt><dd>{}</dd>", Safe(&value))?;
    }
    out.push_str("</dl>\n");
    report.policies.iter().try_for_each(|policy| section(out, policy))?;
    out.push_str("</body>\n</html>");
    Ok(())
}

fn section(out: &mut String, policy: &Policy<'_>) -> fmt::Result {
    writeln!(out, "<section>\n<h2>{}</h2>", Safe(policy.name))?;
    table(out, &policy.sides)?;
    if policy.is_not_compared() {
        writeln!(out, "<p>{NOT_COMPARED}</p>")?;
    }
    policy.comparisons.iter().try_for_each(|it| compared(out, it))?;
    let verdicts: Vec<_> = policy.sides.iter().map(verdicts).collect();
    chart::bars(out, "What each side said, as shares of its runs", &verdicts)?;
    let fuel: Vec<Series<'_>> = policy.sides.iter().map(|part| (name(part), &part.group.fuel)).collect();
    chart::steps(out, "Fuel of a run", "fuel", &fuel)?;
    let micros: Vec<Series<'_>> = policy.sides.iter().map(|part| (name(part), &part.group.micros)).collect();
    chart::steps(out, "Time of a run", "µs", &micros)?;
    for part in &policy.sides {
        looked_on(out, part)?;
        tally(out, &format!("Faults of {}", name(part)), &part.group.fault_kinds)?;
    }
    out.push_str("</section>\n");
    Ok(())
}

fn table(out: &mut String, sides: &[Part<'_>]) -> fmt::Result {
    let class = |column| if column < 2 { " class=\"name\"" } else { "" };
    out.push_str("<div class=\"wide\"><table>\n<tr>");
    for (column, name) in COLUMNS.iter().enumerate() {
        write!(out, "<th scope=\"col\"{}>{name}</th>", class(column))?;
    }
    out.push_str("</tr>\n");
    for (row, part) in sides.iter().enumerate() {
        out.push_str("<tr>");
        for (column, cell) in cells(part).iter().enumerate() {
            // The colour that the charts have it in.
            let swatch = if column == 0 { chart::swatch(row) } else { String::new() };
            write!(out, "<td{}>{swatch}{}</td>", class(column), Safe(cell))?;
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</table></div>\n");
    Ok(())
}

fn compared(out: &mut String, it: &Comparison<'_>) -> fmt::Result {
    for (what, difference) in [("Denials", &it.denials), ("Faults", &it.faults)] {
        let class = if difference.may_be_chance { "chance" } else { "sure" };
        let shares = shares(it, difference);
        writeln!(out, "<p>{what} {}: <span class=\"{class}\">{difference}</span></p>", Safe(&shares))?;
    }
    Ok(())
}

fn name(part: &Part<'_>) -> String {
    format!("{} {}", part.side.word(), short(part.digest))
}

fn verdicts(part: &Part<'_>) -> Bar {
    let group = part.group;
    let slices = vec![("allow", group.allows), ("deny", group.denials), ("fault", group.faults)];
    Bar { name: name(part), whole: group.runs, slices }
}

/// What a policy that looked on makes of the events otherwise.
fn looked_on(out: &mut String, part: &Part<'_>) -> fmt::Result {
    let (group, name) = (part.group, name(part));
    let Some(differing) = group.differing else { return Ok(()) };
    let slices = vec![("agree", group.runs - differing), ("differ", differing)];
    let title = format!("Whether {name} agrees with the answers");
    chart::bars(out, &title, &[Bar { name: name.clone(), whole: group.runs, slices }])?;
    let entries = group.differs.entries();
    let bar = |entry: &Entry<'_>| Bar {
        name: entry.name.to_owned(),
        whole: differing,
        slices: vec![("differ", entry.count)],
    };
    let what = format!("What differs with {name}");
    if !entries.is_empty() {
        chart::bars(out, &format!("{what}, as shares of what differs"), &entries.iter().map(bar).collect::<Vec<_>>())?;
    }
    tally(out, &what, &group.differs)
}

/// Each name with how often it came, and where.
fn tally(out: &mut String, title: &str, tally: &Tally) -> fmt::Result {
    let entries = tally.entries();
    if entries.is_empty() {
        return Ok(());
    }
    writeln!(out, "<h3>{}</h3>\n<div class=\"wide\"><table>", Safe(title))?;
    for entry in entries {
        let (name, ids) = (Safe(entry.name), entry.ids.join(", "));
        writeln!(
            out,
            "<tr><td class=\"name\">{name}</td><td>{}</td><td class=\"ids\">{}</td></tr>",
            entry.count,
            Safe(&ids)
        )?;
    }
    out.push_str("</table></div>\n");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Safe;

    #[test]
    fn nothing_of_a_text_is_markup() {
        assert_eq!(Safe("<a b=\"c\" d='e'>&amp;\n").to_string(), "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;amp; ");
        assert_eq!(Safe("né 日本\u{202e}").to_string(), "né 日本 ");
    }
}
