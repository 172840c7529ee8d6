//! Lets a channel point to a release that it named before, under a new sequence.

use std::process::ExitCode;
use std::time::SystemTime;

use cogwit_core::release::{Gap, Place, Standing, Verified};
use cogwit_core::run::Engine;
use cogwit_core::store::{Admission, PolicySet};
use serde::Serialize;

use super::common::{CHANNEL, Format, age, config_from_env, print};
use super::flows::Flows;
use super::publish::admit;
use super::ship::{EXPECT, ShipArgs, Shipped, Shipping, changed, warned};
use crate::changes::{Change, lines};
use crate::failure::{Failure, exit};
use crate::output::out;
use crate::sign;
use crate::store::{State, Store, Wanted, failure, fetch_failure, no_channel};

/// Lets a channel point to an earlier release, under a new sequence
///
/// The release must lie in the store as a whole, and pass the checks of `cogwit validate`, its cases included.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("\
RELEASE is a sequence of `cogwit history`, such as 7, or 8 or more digits of a digest. A whole digest may be any \
release of the store, such as one that another channel serves. Without one, the signed history is followed back, which must \
have no hole.

{EXPECT}

{}

Exit codes:
  0  the channel points to the release
  1  not done: somebody else was first, the channel is not trusted, may be older than what was
     published last, or is not what --expect names; the history has a hole; or it could not be signed
  2  the command line or a COGWIT_* variable is wrong
  4  not done: there is no such release, it is not complete, no host would serve it, or the store
     cannot be used

Examples:
  cogwit rollback s3://acme-policies/login#prod --key cogwit.key
  cogwit rollback s3://acme-policies/login#prod 7 --key cogwit.key --no-admission", sign::SIGN_WITH))]
pub(crate) struct Args {
    #[arg(help = CHANNEL)]
    channel: Place,
    /// The release [default: the newest in the history that is another one than the channel names now]
    release: Option<Wanted>,
    #[command(flatten)]
    ship: ShipArgs,
    /// In an emergency, do not check first whether a host would serve it
    #[arg(long)]
    no_admission: bool,
    /// json: one object
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Serialize)]
struct RolledBack {
    #[serde(flatten)]
    shipped: Shipped,
    admitted: bool,
    /// Where the channel named the release before; none where its history does not have it.
    to: Option<Named>,
    /// What is different from what served before; none where that is not known.
    changes: Option<Vec<Change>>,
}

/// A payload of the channel's history.
#[derive(Serialize)]
struct Named {
    sequence: u64,
    issued: String,
    #[serde(skip)]
    age: String,
}

impl Named {
    fn of(verified: &Verified) -> Self {
        let Verified { payload, .. } = verified;
        let issued = humantime::format_rfc3339_seconds(payload.issued).to_string();
        Self { sequence: payload.sequence, issued, age: age(payload.issued, SystemTime::now()) }
    }
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let mut shipping = Shipping::new(&args.ship, config_from_env()?)?;
    let (store, standing) = shipping.open(&args.channel)?;
    let (digest, to) = match &args.release {
        Some(wanted) => {
            let named = standing.history.iter().chain(standing.served()).filter(|it| wanted.is(&it.payload));
            let newest = named.max_by_key(|it| it.payload.sequence).map(Named::of);
            (store.find(wanted, &shipping.trust)?.digest, newest)
        }
        None => {
            let last = last(&store, &standing, &shipping)?;
            (last.payload.release.clone(), Some(Named::of(&last)))
        }
    };
    let release = store.release(&digest)?;
    let set = release.policies.set.name.as_str();
    let mut warnings = shipping.allow(&store.place, Some(&standing), set)?;
    let lacking = store.wait(store.bucket.lacking(&release));
    if !lacking.is_empty() {
        let reasons: Vec<_> = lacking.iter().map(ToString::to_string).collect();
        return Err(Failure::could_not_run(format!(
            "the release {digest:.12} is not complete, so the channel is left as it is\n{}",
            reasons.join("\n")
        )));
    }
    let checked = if args.no_admission { None } else { Some(check(&store, &digest, &shipping)?) };
    warnings.extend(checked.iter().flat_map(|(_, set)| &set.warnings).map(ToString::to_string));
    let shipped = shipping.point(&store, &standing, (set, &digest), warnings)?;
    let changes = changed(&store, &standing, &release);
    let mut done = RolledBack { shipped, admitted: checked.is_some(), to, changes };
    // An emergency is not held up by sign-ins that are under way, nor is whoever waits to read that it is over.
    if args.format == Format::Text {
        print(args.format, &done, |it| text(it, &shipping))?;
    }
    let flows = checked.map(|(admission, set)| Flows::of((&store, &standing), &admission, &set, &shipping.config));
    let late = flows.unwrap_or_default().warnings(true)?;
    match args.format {
        Format::Text => warned(&late).try_for_each(|line| out(&format!("{line}\n")).map_err(Failure::unwritable))?,
        Format::Json => {
            done.shipped.warnings.extend(late);
            print(args.format, &done, |it| text(it, &shipping))?;
        }
    }
    Ok(ExitCode::from(exit::ALLOW))
}

/// The newest payload that names another release than the channel does now.
fn last(store: &Store, standing: &Standing, shipping: &Shipping) -> Result<Verified, Failure> {
    let place = &store.place;
    let none = || {
        Failure::could_not_run(format!(
            "the channel `{place}` has no other release to go back to that a trusted key signed: name one by its whole digest, or \
             publish"
        ))
    };
    let now = standing.served().map(|now| now.payload.release.as_str());
    let newest = standing.newest().cloned();
    let mut at = newest.ok_or_else(|| if standing.channel.is_none() { no_channel(place) } else { none() })?;
    let seen = State::of(place, &shipping.config).read()?.map(|seen| seen.newest.sequence);
    // What nobody else knows any more may be what served.
    if let Some(missing) = seen.filter(|seen| *seen > at.payload.sequence) {
        return Err(Failure::failed(format!(
            "the history of `{place}` does not have sequence {missing}, which this machine saw: restore it, or name a release, such \
             as a sequence of `cogwit history`"
        )));
    }
    while now == Some(at.payload.release.as_str()) {
        let previous = store.wait(store.bucket.previous((place, &shipping.trust), &at));
        at = previous.map_err(|error| failure(&error))?.map_err(|gap| match gap {
            Gap::Start(_) => none(),
            gap => Failure::failed(format!(
                "the history of `{place}` does not lead to another release: {gap}; restore it, or name a release, such as a \
                 sequence of `cogwit history`"
            )),
        })?;
    }
    Ok(at)
}

/// The set of a release, if a host would serve it, and what admitted it.
fn check(store: &Store, digest: &str, shipping: &Shipping) -> Result<(Admission, PolicySet), Failure> {
    let fetched = store.wait(store.bucket.fetch_release(digest, false)).map_err(|error| fetch_failure(&error))?;
    let engine = Engine::new(1, shipping.config.caps.limits.memory).map_err(Failure::could_not_run)?;
    let admission = Admission::new(engine).parting_by(shipping.config.rollout_key.clone());
    let admitted = admit(&admission, &fetched.package, &fetched.tests, &shipping.config).map_err(|problems| {
        Failure::could_not_run(format!(
            "no host like this one would serve the release {digest:.12}, so the channel is left as it is; in an emergency, \
             `--no-admission` goes over that\n{problems}"
        ))
    })?;
    Ok((admission, admitted))
}

fn text(it: &RolledBack, shipping: &Shipping) -> String {
    let shipped = &it.shipped;
    let mut lines = vec![format!("{} points to another release", shipped.place)];
    lines.extend(
        shipped
            .before
            .as_ref()
            .map(|before| format!("  from      {:.12} of sequence {}", before.release, before.sequence)),
    );
    lines.push(match &it.to {
        Some(Named { sequence, issued, age }) => {
            format!("  to        {:.12} of sequence {sequence}, signed {issued} ({age} ago)", shipped.release)
        }
        None => format!("  to        {:.12}, which the history does not have", shipped.release),
    });
    if !it.admitted {
        lines.push("  warning   nobody checked whether a host would serve it".to_owned());
    }
    lines.extend(it.changes.iter().flat_map(|changes| self::lines(changes)).map(|line| format!("  {line}")));
    lines.extend(shipped.lines(&shipping.config));
    lines.join("\n")
}
