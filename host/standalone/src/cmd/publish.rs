//! Publishes a policy set: checks it as a host would, brings it into a release store, and lets a channel point to it.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::Path;
use std::process::ExitCode;

use bytesize::ByteSize;
use cogwit_core::case;
use cogwit_core::config::Config;
use cogwit_core::digest::sha256;
use cogwit_core::policy::PolicyDocument;
use cogwit_core::release::{Artifact, Bucket, NativeArtifact, NativeCode, Place, Progress, Release, Root, Uploaded};
use cogwit_core::run::{Engine, Native};
use cogwit_core::store::{
    Admission, MAX_COST_AT_START, MOST_COMPILED_AT_START, Package, PolicySet, Tests, cost_at_start,
};
use cogwit_core::text::one_line;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::common::{CHANNEL, Format, config_from_env, print};
use super::edit::EditArgs;
use super::flows::Flows;
use super::ship::{EXPECT, ShipArgs, Shipped, Shipping, changed, warned};
use crate::changes::{Change, lines};
use crate::failure::{Failure, exit};
use crate::store::{Policies, Store, failure, no_channel};
use crate::{output, sign};

/// Where the Lambda host runs.
const LAMBDA: &str = "x86_64-unknown-linux-gnu";

/// Publishes a policy set: hosts that follow the channel take it over, without a deployment
///
/// First makes every check that `cogwit validate` makes. Then brings in what the store does not have yet, and last lets the
/// channel point to it, so that at each moment a whole release is served. Who published in the meantime is not gone over.
#[derive(Debug, clap::Args)]
#[command(allow_missing_positional = true, after_help = format!("\
A store is a folder or a bucket of S3. Credentials, region and endpoint come as every AWS tool takes them: AWS_ACCESS_KEY_ID, \
AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL and so on. Publishing needs s3:GetObject, s3:PutObject and s3:ListBucket.

Settings that refer to COGWIT_SECRET_* need a value here too, for the checks; it does not leave this machine. Files that cases \
name travel along, and must lie in the folder of the set.

A SOURCE may be a channel: what that one serves is published here, with its machine code if a trusted key signed it, else without. \
Where this machine has not seen that channel, name its release: CHANNEL@SEQUENCE or CHANNEL@DIGEST.

{EXPECT}

--rollout and --promote change only that of the SOURCE. Without one, it is what the CHANNEL serves now. When the channel expires \
is not taken over: give --expires again.

Sign-ins by challenges may cross the change: what the old set keeps of a challenge is answered to the new one, in an example and in \
the events of the old cases, for each side that users come to. What was right has to stay right. Where the old set cannot be tried \
on this machine, such as for want of its COGWIT_SECRET_*, nothing is published.

COGWIT_TRUSTED_KEYS says who else may have published here before. If it is set, the key that signs must be among it.

{}

Exit codes:
  0  published
  1  not published: somebody else was first, the channel is not trusted, may be older than what was
     published last, or is not what --expect names; sign-ins that began before could not end or
     cannot be tried; or it could not be signed
  2  the command line or a COGWIT_* variable is wrong
  4  not published: the set cannot be read, no host would serve it, or the store cannot be used

Examples:
  cogwit publish policies/ s3://acme-policies/login#prod --key cogwit.key
  cogwit publish policies/ file:///srv/policies#dev --unsigned --dry-run
  cogwit publish s3://acme-policies/login#staging s3://acme-policies/login#prod --key cogwit.key
  cogwit publish s3://acme-policies/login#prod --rollout invitation=25 --key cogwit.key", sign::SIGN_WITH))]
pub(crate) struct Args {
    /// A policy set: a folder with a policies.toml, a policies.toml, a .wasm file, or a channel
    #[arg(required_unless_present_any = ["rollout", "promote"])]
    source: Option<String>,
    #[arg(help = CHANNEL)]
    channel: Place,
    #[command(flatten)]
    edit: EditArgs,
    #[command(flatten)]
    ship: ShipArgs,
    /// Make machine code for this target too, so that hosts need not compile; repeat it for more [default: what a channel as
    /// SOURCE has]
    #[arg(long, value_name = "TARGET")]
    native: Vec<String>,
    /// Publish although sign-ins that began before could not end, or that cannot be tried here
    #[arg(long)]
    break_flows: bool,
    /// Make every check up to the upload, tell what would change, and change nothing in the store
    #[arg(long)]
    dry_run: bool,
    /// json: one object
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Serialize)]
struct Published {
    #[serde(flatten)]
    shipped: Shipped,
    uploaded: usize,
    kept: usize,
    /// What is different from what served before; none where that is not known.
    changes: Option<Vec<Change>>,
}

#[derive(Serialize)]
struct Rehearsed {
    place: String,
    set: String,
    release: String,
    /// What the publisher should know.
    warnings: Vec<String>,
    changes: Option<Vec<Change>>,
}

/// What is to be published.
struct Made {
    admission: Admission,
    admitted: PolicySet,
    package: Package,
    release: Release,
    native: NativeCode,
    warnings: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let mut shipping = Shipping::new(&args.ship, config_from_env()?)?;
    let place = &args.channel;
    let is_new = matches!(&place.root, Root::Folder(folder) if !Path::new(folder).exists());
    // Before the set is read, so that whoever publishes from now on is not gone over, whatever the set comes from.
    let opened = if is_new { None } else { Some(shipping.open(place)?) };
    let policies = match (&args.source, &opened) {
        (Some(source), _) => shipping.source(source)?,
        (None, Some((store, standing))) => Policies::of_standing(store, standing)?,
        (None, None) => return Err(no_channel(place)),
    };
    let Made { admission, admitted, package, release, native, mut warnings } = make(args, &shipping.config, &policies)?;
    let (set, digest) = (release.policies.set.name.as_str(), sha256(&release.to_bytes()));
    warnings.extend(shipping.allow(place, opened.as_ref().map(|(_, standing)| standing), set)?);
    let flows =
        opened.as_ref().map(|(store, standing)| Flows::of((store, standing), &admission, &admitted, &shipping.config));
    warnings.extend(flows.unwrap_or_default().warnings(args.break_flows)?);
    let changes = opened.as_ref().and_then(|(store, standing)| changed(store, standing, &release));
    if args.dry_run {
        let (place, set) = (place.to_string(), set.to_owned());
        print(args.format, &Rehearsed { place, set, release: digest, warnings, changes }, rehearsed)?;
        return Ok(ExitCode::from(exit::ALLOW));
    }
    let (store, standing) = match opened {
        Some(opened) => opened,
        None => {
            Bucket::make(&place.root).map_err(|error| failure(&error))?;
            shipping.open(place)?
        }
    };
    let uploaded = upload(&store, &release, &package, &native, args.format)?;
    let shipped = shipping.point(&store, &standing, (set, &digest), warnings)?;
    let published = Published { shipped, uploaded: uploaded.written, kept: uploaded.kept, changes };
    print(args.format, &published, |it| text(it, &shipping.config))?;
    Ok(ExitCode::from(exit::ALLOW))
}

/// The set as a release, if a host would serve it.
fn make(args: &Args, config: &Config, policies: &Policies) -> Result<Made, Failure> {
    let mut package = policies.read()?;
    args.edit.lay_over(&mut package)?;
    let tests = policies.tests(&package.document);
    let engine = || Engine::new(1, config.caps.limits.memory).map_err(Failure::could_not_run);
    let admission = Admission::new(engine()?).parting_by(config.rollout_key.clone());
    let admitted = admit(&admission, &package, &tests, config).map_err(|problems| {
        Failure::could_not_run(format!("{policies} is not published, since no host would serve it\n{problems}"))
    })?;
    let mut warnings: Vec<_> = admitted.warnings.iter().map(ToString::to_string).collect();
    let native = match args.native.as_slice() {
        [] => policies.native()?.unwrap_or_else(|| {
            // Hosts that trust this publisher would run it.
            warnings.push(format!(
                "the machine code of {policies} is left out, since no trusted key signed it: make it with `--native`"
            ));
            NativeCode::new()
        }),
        targets => native(targets, &engine()?, &package)?,
    };
    let release = Release::of(&package, policies.test_texts(&tests)?, &native).map_err(Failure::could_not_run)?;
    warnings.extend(not_for_lambda(&release, &package, &engine()?));
    Ok(Made { admission, admitted, package, release, native, warnings })
}

/// A warning for each component that the Lambda host refuses.
fn not_for_lambda(release: &Release, package: &Package, engine: &Engine) -> Vec<String> {
    let has_native = |it: &Artifact| it.native.iter().any(|native| native.target == LAMBDA);
    let compiled = || release.components.iter().filter(|it| !has_native(it));
    let large = compiled().filter(|it| it.size > MOST_COMPILED_AT_START as u64);
    let small = || compiled().filter(|it| it.size <= MOST_COMPILED_AT_START as u64);
    let is_small = |bytes: &[u8]| small().any(|it| it.sha256 == sha256(bytes));
    let cost = cost_at_start(engine, package, |name| !package.components.get(name).is_some_and(|it| is_small(it)));
    let costly = (cost > MAX_COST_AT_START).then(|| {
        format!(
            "compiling the set takes {cost} units of work, and the Lambda host, which spends at most {MAX_COST_AT_START} when it \
             starts, refuses the set: add `--native {LAMBDA}`"
        )
    });
    let large = large.map(|component| {
        let policies = &release.policies.policies;
        let mut files = policies.iter().flat_map(PolicyDocument::components);
        let named = files.find(|(_, digest)| *digest == Some(&component.sha256));
        format!(
            "`{}` is larger than {}, and the Lambda host, which does not compile such a one when it starts, refuses the set: \
             add `--native {LAMBDA}`",
            one_line(named.map_or(&component.sha256, |(file, _)| file)),
            ByteSize::b(MOST_COMPILED_AT_START as u64)
        )
    });
    large.chain(costly).collect()
}

/// Makes every check that a host makes, and tells all that is wrong.
pub(super) fn admit(
    admission: &Admission,
    package: &Package,
    tests: &[Tests],
    config: &Config,
) -> Result<PolicySet, String> {
    let env = |name: &str| std::env::var(name).ok();
    case::admit_to_serve(admission, (package, tests), &config.caps, env, None).map_err(|error| error.to_string())
}

/// Machine code of every component.
fn native(targets: &[String], engine: &Engine, package: &Package) -> Result<NativeCode, Failure> {
    let host = Native::target();
    if let Some(other) = targets.iter().find(|target| **target != host) {
        return Err(Failure::usage(format!(
            "cannot make machine code for `{other}` here: this host makes it for `{host}`; publish on a host of that target"
        )));
    }
    let mut made = BTreeMap::new();
    for bytes in package.components.values().filter(|_| !targets.is_empty()) {
        let code = engine.precompile(bytes).map_err(Failure::could_not_run)?;
        made.insert(sha256(bytes), vec![(NativeArtifact::of(&code), code)]);
    }
    Ok(made)
}

fn upload(
    store: &Store,
    release: &Release,
    package: &Package,
    native: &NativeCode,
    format: Format,
) -> Result<Uploaded, Failure> {
    let style = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes}  {wide_msg}");
    let bar = match std::io::stderr().is_terminal() {
        true => ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())),
        false => ProgressBar::hidden(),
    };
    let told = |progress: Progress<'_>| {
        bar.set_length(progress.all);
        bar.set_position(progress.done);
        bar.set_message(progress.key.to_owned());
        if bar.is_hidden() && format == Format::Text && !progress.key.is_empty() {
            output::report(&format!("{}\n", progress.key));
        }
    };
    let uploaded = store.wait(store.bucket.upload(release, package, native, &told));
    bar.finish_and_clear();
    uploaded.map_err(|error| failure(&error))
}

fn text(it: &Published, config: &Config) -> String {
    let shipped = &it.shipped;
    let mut lines = vec![
        format!("published the set `{}` to {}", shipped.set, shipped.place),
        format!("  release   {:.12} ({} brought in, {} there already)", shipped.release, objects(it.uploaded), it.kept),
    ];
    lines.extend(
        shipped
            .before
            .as_ref()
            .map(|before| format!("  before    {:.12} of sequence {}", before.release, before.sequence)),
    );
    lines.extend(told(it.changes.as_deref()));
    lines.extend(shipped.lines(config));
    lines.join("\n")
}

fn rehearsed(it: &Rehearsed) -> String {
    let mut lines =
        vec![format!("would publish the set `{}` to {}", it.set, it.place), format!("  release   {:.12}", it.release)];
    lines.extend(warned(&it.warnings));
    lines.extend(told(it.changes.as_deref()));
    lines.join("\n")
}

fn objects(number: usize) -> String {
    if number == 1 { "one object".to_owned() } else { format!("{number} objects") }
}

fn told(changes: Option<&[Change]>) -> Vec<String> {
    match changes {
        None => Vec::new(),
        Some([]) => vec!["  changes   nothing".to_owned()],
        Some(changes) => {
            std::iter::once("  changes".to_owned()).chain(lines(changes).iter().map(|it| format!("  {it}"))).collect()
        }
    }
}
