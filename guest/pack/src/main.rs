//! `cargo pack`: builds the policies of this workspace and keeps what it built in `policies-wasm`.

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use cogwit_pack::{Choice, Component, Folder, Made, Toolchain, Workspace, build, make_native};

/// Builds every policy under guest/policies into a component, and records the digests
///
/// Components, the policy set (policies.toml, its digests brought up to date) and policies.lock are written to
/// policies-wasm, or with --out to another folder. The same compiler gives the same bytes on every machine.
#[derive(Parser)]
#[command(name = "cargo pack", bin_name = "cargo pack", version, max_term_width = 100, after_help = EXIT_CODES)]
struct Arguments {
    /// The compiler to use
    #[arg(long, value_enum, default_value_t = Choice::Auto)]
    toolchain: Choice,
    /// Build and compare with policies-wasm, which stays as it is
    #[arg(long)]
    check: bool,
    /// Write to this folder instead of policies-wasm
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Make machine code of the set's components too, beside them: for the Lambda host, so that it starts at once. Takes --out,
    /// since machine code is not committed
    #[arg(long, value_name = "TARGET", requires = "out")]
    native: Option<String>,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  built; with --check: no difference, or another compiler, whose bytes are not compared
  1  the build failed; with --check: something differs
  2  wrong arguments";

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let progress = |line: &str| eprintln!("pack: {line}");
    let workspace = Workspace::at(&env::current_dir()?)?;
    let guests = workspace.guests_under(&workspace.root.join("guest/policies"))?;
    let toolchain =
        Toolchain::find(arguments.toolchain, &workspace.root, &workspace.target_dir.join("wasm-toolchain"), &progress)?;
    progress(&format!("compiler: {}", toolchain.version));
    let components = build(&workspace, &toolchain, &guests, &progress)?;

    let committed_path = workspace.root.join("policies-wasm");
    let committed = Folder::read(&committed_path)?;
    let comparison = if arguments.check { Some(committed.compare(&components)?) } else { None };
    if let Some(out) = arguments.out.as_ref().or((!arguments.check).then_some(&committed_path)) {
        committed.write_to(out, &components, &progress)?;
    }
    summarize(&components, &committed);
    if let (Some(out), Some(target)) = (&arguments.out, &arguments.native) {
        for Made { file, size, .. } in make_native(out, target)? {
            println!("{file}  {size}");
        }
    }

    let Some(comparison) = comparison else { return Ok(ExitCode::SUCCESS) };
    if let Some((old, new)) = comparison.moved {
        eprintln!("\nCOMPILER MOVED: BYTES WERE NOT COMPARED\n  committed with: {old}\n  built with:     {new}\n");
    }
    for difference in &comparison.differences {
        eprintln!("differs: {difference}");
    }
    if comparison.differences.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("error: policies-wasm is not what the sources give: run `cargo pack` and commit the result");
    Ok(ExitCode::FAILURE)
}

/// One line for each component on standard output.
fn summarize(components: &[Component], committed: &Folder) {
    let width = components.iter().map(|component| component.file.len()).max().unwrap_or_default();
    println!("{:width$}  {:>8}  {:12}  status", "component", "bytes", "sha256");
    for component in components {
        let Component { file, bytes, sha256, .. } = component;
        let status = if committed.has(component) { "same" } else { "changed" };
        println!("{file:width$}  {:>8}  {sha256:.12}  {status}", bytes.len());
    }
}
