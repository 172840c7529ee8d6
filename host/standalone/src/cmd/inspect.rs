//! Shows what a component is, and whether this host would admit it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use anstyle::AnsiColor;
use bytesize::ByteSize;
use cogwit_core::digest::sha256;
use cogwit_core::run::{Engine, Need, Shape};
use cogwit_core::store::{Admission, Source};
use cogwit_core::text::one_line;
use serde::Serialize;

use super::common::{Format, config_from_env, metadata, print};
use crate::failure::{Failure, exit};
use crate::output::styled;

/// Shows a component's triggers, imports, metadata, size and digest, and whether this host would admit it
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit codes:
  0  this host would admit it
  2  the command line or a COGWIT_* variable is wrong
  4  this host would not admit it, or it cannot be read")]
pub(crate) struct Args {
    /// The component's file
    file: PathBuf,
    /// json: one object
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Serialize)]
struct Inspection {
    file: String,
    bytes: usize,
    sha256: String,
    metadata: BTreeMap<&'static str, String>,
    triggers: Vec<String>,
    settings: bool,
    imports: Vec<Import>,
    admitted: bool,
    problems: Vec<String>,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct Import {
    name: String,
    need: String,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let inspection = inspect(args)?;
    print(args.format, &inspection, text)?;
    Ok(ExitCode::from(if inspection.admitted { exit::ALLOW } else { exit::COULD_NOT_RUN }))
}

fn inspect(args: &Args) -> Result<Inspection, Failure> {
    let caps = config_from_env()?.caps;
    let package = Source::Components(vec![args.file.clone()]).read().map_err(Failure::could_not_run)?;
    let bytes = package.components.values().next().map(Vec::as_slice).unwrap_or_default();
    let engine = Engine::new(1, caps.limits.memory).map_err(Failure::could_not_run)?;
    let shape = engine.inspect(bytes).ok();
    let admitted = Admission::new(engine).admit(&package, &caps, |_| None);
    let (problems, warnings) = match &admitted {
        Ok(set) => (Vec::new(), set.warnings.iter().map(|finding| finding.text.clone()).collect()),
        Err(rejected) => (rejected.findings.iter().map(|finding| finding.text.clone()).collect(), Vec::new()),
    };
    Ok(Inspection {
        file: args.file.display().to_string(),
        bytes: bytes.len(),
        sha256: sha256(bytes),
        // What the engine refused may be made to break whoever reads on.
        metadata: shape.as_ref().map(|_| metadata(bytes)).unwrap_or_default(),
        triggers: shape.iter().flat_map(|shape| shape.triggers.clone()).collect(),
        settings: shape.as_ref().is_some_and(|shape| shape.settings.is_some()),
        imports: shape.iter().flat_map(imports).collect(),
        admitted: admitted.is_ok(),
        problems,
        warnings,
    })
}

fn imports(shape: &Shape) -> Vec<Import> {
    let need = |need| match need {
        Need::Nothing => "types only, needs nothing".to_owned(),
        Need::Given => "given to every policy".to_owned(),
        Need::Capability(capability) => format!("needs the capability `{capability}`"),
        Need::Refused => "not given by this host".to_owned(),
    };
    shape.imports.iter().map(|import| Import { name: import.name.clone(), need: need(import.need) }).collect()
}

fn text(it: &Inspection) -> String {
    let mut lines = vec![
        it.file.clone(),
        format!("  size      {} ({} bytes)", ByteSize::b(it.bytes as u64), it.bytes),
        format!("  sha256    {}", it.sha256),
    ];
    lines.extend(it.metadata.iter().map(|(key, value)| format!("  {key:<9} {}", one_line(value))));
    lines.extend(it.triggers.iter().map(|trigger| format!("  answers   {trigger}")));
    lines.push(format!(
        "  settings  {}",
        if it.settings { "checked by a function of its own" } else { "no function that checks them" }
    ));
    lines.extend(it.imports.iter().map(|import| format!("  imports   {} ({})", import.name, import.need)));
    let warning = styled("warning", AnsiColor::Yellow);
    lines.extend(it.warnings.iter().map(|text| format!("  {warning}   {text}")));
    let refused = styled("refused", AnsiColor::Red);
    lines.extend(it.problems.iter().map(|text| format!("  {refused}   {text}")));
    if it.admitted {
        lines.push(format!(
            "  {}  this host would run it without further settings",
            styled("admitted", AnsiColor::Green)
        ));
    }
    lines.join("\n")
}
