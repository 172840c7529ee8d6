//! Is the way from a crate to a component that a policy set names by its digest.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use cogwit_core::policy::Capability;
use cogwit_core::run::{Engine, Need, Shape, ShapeError};
use cogwit_pack::{Choice, Component, Error, Folder, Guest, Offer, Revision, Toolchain, Workspace, build};
use etcetera::BaseStrategy;

use super::super::common::{Format, config_from_env, print};
use super::report::{Packed, Report, text};
use crate::failure::{Failure, exit};
use crate::output;

/// Builds a policy crate into a component, with its digest in the policy set
///
/// Writes NAME.wasm, what made it (policies.lock), and its digest in policies.toml, which is written where there is none yet.
/// Standard output tells what was built, standard error how it goes. In a workspace, every policy below DIR is built.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit codes:
  0  built
  1  the build failed, or there is nothing to build
  2  the command line or a COGWIT_* variable is wrong
  4  this host would not admit the component, or a file cannot be read or written

The compiler is your toolchain's, if it has the target wasm32-unknown-unknown; else, on Debian, one that is unpacked into
your cache folder (about 137 MB to fetch and 500 MB on disk, once). Nothing is installed.")]
pub(crate) struct Args {
    /// The folder of the crate, or of a workspace
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Where the component and its policy set are kept [default: DIR]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The compiler to use
    #[arg(long, value_enum, default_value = "auto")]
    toolchain: Choice,
    /// Where Debian's compiler is kept [default: cogwit/wasm-toolchain in your cache folder]
    #[arg(long, value_name = "DIR")]
    toolchain_cache: Option<PathBuf>,
    /// json: one object
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let report = pack(args)?;
    print(args.format, &report, text)?;
    Ok(ExitCode::from(exit::ALLOW))
}

fn pack(args: &Args) -> Result<Report, Failure> {
    let memory = config_from_env()?.caps.limits.memory;
    let progress = |line: &str| output::report(&format!("pack: {line}\n"));
    let out = args.out.as_ref().unwrap_or(&args.dir);
    let unreadable = |error| format!("cannot read `{}`: {error}; name the folder of a crate", args.dir.display());
    let dir = fs::canonicalize(&args.dir).map_err(|error| Failure::could_not_run(unreadable(error)))?;

    let workspace = Workspace::at(&dir).map_err(failure)?;
    let mut guests = workspace.policies_in(&dir).map_err(failure)?;
    // Before the build, which takes its time: a set that cannot be read ends it all.
    let folder = Folder::read(out).map_err(failure)?;
    workspace.lock(&progress).map_err(failure)?;
    let revisions: Vec<_> = guests.iter().map(|guest| workspace.revision(guest)).collect();
    for (guest, revision) in guests.iter_mut().zip(&revisions) {
        guest.revision = match revision {
            Revision::Commit(commit) => Some(commit.clone()),
            Revision::Uncommitted | Revision::Unknown => None,
        };
    }
    let cache = cache(args.toolchain_cache.as_deref())?;
    let toolchain = Toolchain::find(args.toolchain, &workspace.root, &cache, &progress).map_err(failure)?;
    progress(&format!("compiler: {}", toolchain.version));
    let components = build(&workspace, &toolchain, &guests, &progress).map_err(failure)?;

    let engine = Engine::new(1, memory).map_err(Failure::could_not_run)?;
    let shapes = components.iter().map(|component| shape(&engine, component)).collect::<Result<Vec<_>, _>>()?;
    let granted: Vec<_> = shapes.iter().map(needs).collect();
    let offers = components.iter().zip(&granted).map(|(component, granted)| Offer {
        component,
        capabilities: granted.iter().map(ToString::to_string).collect(),
    });
    let places = folder.keep(set_name(&guests), &offers.collect::<Vec<_>>()).map_err(failure)?;
    let places = places.into_iter().zip(&revisions);
    let built = components.iter().zip(&shapes).zip(places);
    let packed = built.map(|((component, shape), (place, revision))| {
        Packed::new(component, shape, place, *revision == Revision::Uncommitted)
    });
    Ok(Report { out: out.display().to_string(), compiler: toolchain.version.clone(), components: packed.collect() })
}

/// What the host finds in a component, which it must be able to serve once its capabilities are granted.
fn shape(engine: &Engine, component: &Component) -> Result<Shape, Failure> {
    let refused =
        |reason: String| Failure::could_not_run(format!("`{}` was built, but not written: {reason}", component.file));
    let shape = engine.inspect(&component.bytes).map_err(|error| refused(error.to_string()))?;
    let errors = |errors: Vec<ShapeError>| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    shape.answers(&needs(&shape)).map_err(|found| refused(errors(found)))?;
    Ok(shape)
}

/// The capabilities that a set has to grant a component; `wasi` holds the others.
pub(super) fn needs(shape: &Shape) -> BTreeSet<Capability> {
    let needed = shape.imports.iter().filter_map(|import| match import.need {
        Need::Capability(capability) => Some(capability),
        Need::Nothing | Need::Given | Need::Refused => None,
    });
    let needed: BTreeSet<_> = needed.collect();
    if needed.contains(&Capability::Wasi) { BTreeSet::from([Capability::Wasi]) } else { needed }
}

/// The name of a set that is new: of the one policy, or a common one.
fn set_name(guests: &[Guest]) -> &str {
    match guests {
        [guest] => &guest.name,
        _ => "policies",
    }
}

/// Where Debian's compiler is kept: one for all crates of a user.
fn cache(chosen: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(chosen) = chosen {
        return Ok(chosen.to_owned());
    }
    let unknown = |error| format!("no folder for the compiler: {error}; name one by --toolchain-cache");
    let strategy = etcetera::choose_base_strategy().map_err(|error| Failure::could_not_run(unknown(error)))?;
    Ok(strategy.cache_dir().join("cogwit").join("wasm-toolchain"))
}

/// The failure of a build, or of the files around it.
#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn failure(error: Error) -> Failure {
    match error {
        Error::File { .. } | Error::Format { .. } => Failure::could_not_run(error.with_causes()),
        _ => Failure::failed(error.with_causes()),
    }
}
