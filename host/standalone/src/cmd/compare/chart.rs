//! Draws the page's charts as SVG.

use std::fmt::{self, Write};

use super::html::Safe;
use super::spread::Spread;

/// How wide a chart is, and where its plot begins and ends.
const WIDTH: f64 = 720.0;
const LEFT: f64 = 210.0;
const RIGHT: f64 = WIDTH - 10.0;

/// How high a bar is, with the blank below it.
const BAR: f64 = 26.0;

/// How high the plot of a distribution is, and what is below it.
const PLOT: f64 = 150.0;
const BELOW: f64 = 24.0;

/// How many steps a distribution has.
const STEPS: usize = 48;

/// How many colours there are.
const COLOURS: usize = 6;

/// A bar of slices.
pub(super) struct Bar {
    pub(super) name: String,
    /// What the whole length stands for.
    pub(super) whole: u64,
    /// What each slice is, in a word that is its class too, and how often it was so.
    pub(super) slices: Vec<(&'static str, u64)>,
}

/// How the values of a side are spread, under its name.
pub(super) type Series<'a> = (String, &'a Spread);

/// The colour of the side in this row.
pub(super) fn swatch(row: usize) -> String {
    colour(&format!("s{}", row % COLOURS))
}

fn colour(class: &str) -> String {
    format!("<span class=\"swatch {class}\"></span>")
}

/// Draws shares as bars.
pub(super) fn bars(out: &mut String, title: &str, bars: &[Bar]) -> fmt::Result {
    let classes = bars.first().map(|bar| bar.slices.iter().map(|(class, _)| format!(" {}{class}", colour(class))));
    begin(out, title, &classes.into_iter().flatten().collect::<String>(), bars.len() as f64 * BAR)?;
    for (row, bar) in bars.iter().enumerate() {
        let top = row as f64 * BAR;
        let (name, begin) = (format!("{:.30}", bar.name), LEFT - 10.0);
        writeln!(out, "<text x=\"{begin}\" y=\"{}\" text-anchor=\"end\">{}</text>", top + 15.0, Safe(&name))?;
        rect(out, "track", LEFT, top, RIGHT - LEFT, &bar.name)?;
        let mut left = LEFT;
        for (class, count) in bar.slices.iter().filter(|(_, count)| *count > 0) {
            let share = *count as f64 / bar.whole.max(1) as f64;
            // A hostile record names more differences than there are runs.
            let width = ((RIGHT - LEFT) * share).min(RIGHT - left);
            rect(out, class, left, top, width, &format!("{}: {class} {count} ({:.2} %)", bar.name, share * 100.0))?;
            left += width;
        }
    }
    end(out)
}

fn rect(out: &mut String, class: &str, left: f64, top: f64, width: f64, title: &str) -> fmt::Result {
    let (top, height) = (top + 2.0, BAR - 8.0);
    write!(out, "<rect class=\"{class}\" x=\"{left:.1}\" y=\"{top}\" width=\"{width:.1}\" height=\"{height}\">")?;
    writeln!(out, "<title>{}</title></rect>", Safe(title))
}

/// Draws how values are spread: over a logarithmic axis, the share of the runs at each step.
pub(super) fn steps(out: &mut String, title: &str, unit: &str, series: &[Series<'_>]) -> fmt::Result {
    let values = || series.iter().flat_map(|(_, spread)| spread.values()).map(|(value, _)| log(value));
    let (low, high) = (values().fold(f64::INFINITY, f64::min) - 0.05, values().fold(0.0, f64::max) + 0.05);
    let shares: Vec<_> = series.iter().map(|(_, spread)| shares(spread, low, high)).collect();
    let most = shares.iter().flatten().copied().fold(0.0, f64::max);
    begin(out, title, "", PLOT + BELOW)?;
    writeln!(out, "<line class=\"axis\" x1=\"{LEFT}\" y1=\"{PLOT}\" x2=\"{RIGHT}\" y2=\"{PLOT}\"/>")?;
    writeln!(out, "<text x=\"{}\" y=\"14\" text-anchor=\"end\">{:.0} % of runs</text>", LEFT - 10.0, most * 100.0)?;
    for (at, anchor) in [(0.0, "start"), (0.5, "middle"), (1.0, "end")] {
        let (x, value) = (LEFT + (RIGHT - LEFT) * at, (low + (high - low) * at).exp2());
        let y = PLOT + 16.0;
        writeln!(out, "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{value:.0} {unit}</text>")?;
    }
    for (row, ((name, spread), shares)) in series.iter().zip(&shares).enumerate() {
        let path = path(shares, most);
        write!(out, "<path class=\"steps s{}\" d=\"{path}\"><title>{}: ", row % COLOURS, Safe(name))?;
        writeln!(out, "median {} {unit}, p99 {} {unit}</title></path>", spread.median(), spread.p99())?;
    }
    end(out)
}

fn log(value: u64) -> f64 {
    (value.max(1) as f64).log2()
}

/// The share of the values that each step has.
fn shares(spread: &Spread, low: f64, high: f64) -> [f64; STEPS] {
    let mut shares = [0.0; STEPS];
    let all: u64 = spread.values().map(|(_, count)| count).sum();
    for (value, count) in spread.values() {
        let step = (log(value) - low) / (high - low) * STEPS as f64;
        if let Some(share) = shares.get_mut(step as usize) {
            *share += count as f64 / all as f64;
        }
    }
    shares
}

/// The outline of the steps.
fn path(shares: &[f64; STEPS], most: f64) -> String {
    let width = (RIGHT - LEFT) / STEPS as f64;
    let step = |(at, share): (usize, &f64)| {
        format!("V{:.1}H{:.1}", PLOT - share / most * (PLOT - 4.0), LEFT + (at + 1) as f64 * width)
    };
    let steps: String = shares.iter().enumerate().map(step).collect();
    format!("M{LEFT} {PLOT}{steps}V{PLOT}")
}

fn begin(out: &mut String, title: &str, legend: &str, height: f64) -> fmt::Result {
    let title = Safe(title);
    writeln!(out, "<figure>\n<figcaption>{title}{legend}</figcaption>")?;
    writeln!(out, "<svg role=\"img\" aria-label=\"{title}\" viewBox=\"0 0 {WIDTH} {height}\">")
}

fn end(out: &mut String) -> fmt::Result {
    writeln!(out, "</svg>\n</figure>")
}
