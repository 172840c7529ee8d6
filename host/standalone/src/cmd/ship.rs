//! Is what `publish` and `rollback` share: who signs, what is trusted, and how the channel comes to point elsewhere.

use std::io::{self, IsTerminal as _};
use std::time::{Duration, SystemTime};

use anstyle::AnsiColor;
use cogwit_core::config::Config;
use cogwit_core::release::{ChainError, ChannelError, Order, Place, PublishError, Release, Standing, Trust, Untrusted};
use cogwit_core::text::one_line;
use serde::Serialize;

use super::common::age;
use crate::changes::{Change, changes};
use crate::failure::Failure;
use crate::output::{report, styled};
use crate::sign::{SignArgs, Signer};
use crate::store::{Expect, Policies, Reference, State, Store, failure};

/// What the help says of `--expect`.
pub(super) const EXPECT: &str = "\
Nothing is built upon a channel that is older than what this machine saw (COGWIT_STATE), than its signed history, or than \
COGWIT_MIN_SEQUENCE. A machine that has not seen the channel asks on a terminal, and elsewhere needs --expect.";

/// How a channel is written.
#[derive(Debug, clap::Args)]
pub(super) struct ShipArgs {
    #[command(flatten)]
    sign: SignArgs,
    /// When somebody should have published again, such as 30d; hosts then warn [default: never]
    #[arg(long, value_name = "DURATION", value_parser = expires)]
    expires: Option<SystemTime>,
    /// Override a channel that cannot be trusted, is older than what is known, serves another set, or is signed while this is not
    ///
    /// Hosts that saw the other set refuse this one, also when they start again, unless their `COGWIT_SET` names it. Also lets a
    /// key sign that `COGWIT_TRUSTED_KEYS` lacks.
    #[arg(long)]
    force: bool,
    /// What the channel should serve now: its sequence, 12 or more digits of its release, or `none` where there is no channel
    ///
    /// Anything else is refused. For a machine that has not seen the channel before, such as a CI job.
    #[arg(long, value_name = "SEQUENCE|RELEASE")]
    expect: Option<Expect>,
}

/// Everything that a channel is written with.
pub(super) struct Shipping {
    pub(super) config: Config,
    /// The signer's own key, and those that hosts with these variables trust.
    pub(super) trust: Trust,
    signer: Option<Signer>,
    expires: Option<SystemTime>,
    force: bool,
    expect: Option<Expect>,
    warnings: Vec<String>,
}

/// The last moment that has a date with a year of four digits.
const LAST: Duration = Duration::from_secs(253_402_300_799);

/// The moment that lies so far ahead.
fn expires(text: &str) -> Result<SystemTime, String> {
    let time = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    let moment = SystemTime::now().checked_add(time).filter(|moment| *moment <= SystemTime::UNIX_EPOCH + LAST);
    moment.ok_or_else(|| "it ends after the year 9999: write a time such as 30d".to_owned())
}

/// What a channel says now.
#[derive(Debug, Serialize)]
pub(super) struct Shipped {
    pub(super) place: String,
    pub(super) set: String,
    pub(super) channel: String,
    pub(super) release: String,
    pub(super) sequence: u64,
    pub(super) key: Option<String>,
    pub(super) expires: Option<String>,
    /// What it said before.
    pub(super) before: Option<Before>,
    /// What the publisher should know.
    pub(super) warnings: Vec<String>,
}

/// What a channel said before.
#[derive(Debug, Serialize)]
pub(super) struct Before {
    pub(super) release: String,
    pub(super) sequence: u64,
}

impl Shipping {
    /// Asks for the password of a key, if it needs one, before anything else is done. A key that hosts with these variables do
    /// not trust only signs on purpose.
    pub(super) fn new(args: &ShipArgs, config: Config) -> Result<Self, Failure> {
        let signer = args.sign.signer()?;
        let mut trust = config.following.trust.clone();
        let mut warnings = Vec::new();
        match signer.as_ref().map(|signer| signer.public_key().trusted()) {
            Some(key) => {
                if !trust.keys.is_empty() && !trust.keys.contains(key) {
                    let unfollowed = format!(
                        "COGWIT_TRUSTED_KEYS lacks the key {} that signs, so that no host with these variables would follow \
                         the channel",
                        key.id
                    );
                    if !args.force {
                        return Err(Failure::failed(format!(
                            "{unfollowed}: add its line `{}`, sign with another key, or go on with `--force`",
                            key.text
                        )));
                    }
                    warnings.push(unfollowed);
                }
                trust.keys.push(key.clone());
            }
            None => trust.unsigned = true,
        }
        Ok(Self {
            config,
            trust,
            signer,
            expires: args.expires,
            force: args.force,
            expect: args.expect.clone(),
            warnings,
        })
    }

    /// The store of a channel, and what the channel says now. It must be what was published last, unless that is overridden.
    pub(super) fn open(&mut self, place: &Place) -> Result<(Store, Standing), Failure> {
        let store = Store::open(place)?;
        let standing = self.standing(&store)?;
        let is_expected = self.is_expected(place, &standing)?;
        let trust = self.trust.clone();
        self.check(&store, (&standing, &trust), is_expected, self.force)?;
        Ok((store, standing))
    }

    /// The set that is to be published. A channel must serve what was published there last, unless its release is named.
    /// `--force` is about the channel that is written, not about this one.
    pub(super) fn source(&mut self, source: &str) -> Result<Policies, Failure> {
        let place = match source.parse() {
            Ok(Reference { place, wanted: None }) if Place::is_meant_by(source) => place,
            _ => return Policies::open(source, &self.config),
        };
        let store = Store::open(&place)?;
        let trust = self.config.following.trust.clone();
        let standing = store.standing(&trust)?;
        store.followed(&standing, &self.config)?;
        self.check(&store, (&standing, &trust), false, false)?;
        Policies::of_standing(&store, &standing)
    }

    /// Whether `--expect` names what the channel serves.
    fn is_expected(&self, place: &Place, standing: &Standing) -> Result<bool, Failure> {
        let Some(expect) = &self.expect else { return Ok(false) };
        let serves = match (&standing.channel, expect) {
            (None, Expect::Nothing) => return Ok(true),
            (Some(Ok(served)), Expect::Release(wanted)) if wanted.is(&served.payload) => return Ok(true),
            (None, _) => "does not exist".to_owned(),
            (Some(Ok(served)), _) => {
                format!("serves sequence {}, release {:.12}", served.payload.sequence, served.payload.release)
            }
            (Some(Err(_)), _) => "cannot be trusted".to_owned(),
        };
        Err(Failure::failed(format!(
            "`--expect {expect}` is not what the store serves: the channel `{place}` {serves}; find out which one is the newest \
             before you publish"
        )))
    }

    /// Refuses to build upon a channel that may be older than what was published last, unless that is overridden or confirmed.
    fn check(
        &mut self,
        store: &Store,
        standing: (&Standing, &Trust),
        is_expected: bool,
        force: bool,
    ) -> Result<(), Failure> {
        let place = &store.place;
        match (store.check(standing, &self.config, is_expected)?.doubt, standing.0.served()) {
            (None, _) => {}
            (Some(doubt), _) if force => self.warnings.push(format!("overridden by --force: `{place}`: {doubt}")),
            (Some(doubt @ ChainError::Unknown { .. }), Some(served)) => {
                let payload = &served.payload;
                let serves = format!(
                    "the channel `{place}` serves sequence {} of the set `{}`, release {:.12}, issued {} ago, signed by {}",
                    payload.sequence,
                    one_line(&payload.set),
                    payload.release,
                    age(payload.issued, SystemTime::now()),
                    served.key.as_ref().map_or_else(|| "nobody".to_owned(), |key| format!("the key {key}")),
                );
                if !confirm(&format!("{serves}\n{doubt}. Is it what was published last?"))? {
                    return Err(Failure::failed(format!(
                        "{serves}; {doubt}: see `cogwit status` on a machine that published it, or `set.known` in the records of \
                         hosts, and name what is served: the CHANNEL's by `--expect SEQUENCE`, a SOURCE's by `SOURCE@SEQUENCE`"
                    )));
                }
                State::of(place, &self.config).keep(served)?;
            }
            (Some(doubt), _) => {
                return Err(Failure::failed(format!("nothing is built upon the channel `{place}`: {doubt}")));
            }
        }
        Ok(())
    }

    /// What the channel says now. It must be trusted, unless that is overridden.
    fn standing(&self, store: &Store) -> Result<Standing, Failure> {
        let standing = store.wait(store.bucket.standing(&store.place, &self.trust)).map_err(|error| failure(&error))?;
        match &standing.channel {
            Some(Err(error)) if !self.force => {
                Err(failed(PublishError::Channel(store.place.to_string(), error.clone())))
            }
            Some(Ok(before)) if before.key.is_some() && self.signer.is_none() && !self.force => {
                Err(Failure::failed(format!(
                    "the channel `{}` is signed, and hosts that trust its key refuse one that is not: sign it, or go over \
                     it with `--force`",
                    store.place
                )))
            }
            _ => Ok(standing),
        }
    }

    /// Whether a set may take the place of what the channel says, if it says anything; and what the publisher should know
    /// where it may.
    pub(super) fn allow(&self, place: &Place, standing: Option<&Standing>, set: &str) -> Result<Vec<String>, Failure> {
        if let Some(expected) = self.config.following.set.as_ref().filter(|expected| *expected != set) {
            let error = ChannelError::OtherSet { found: set.to_owned(), expected: expected.clone() };
            return Err(failed(PublishError::Unfollowed(error)));
        }
        let mut warnings = self.warnings.clone();
        match standing.and_then(|standing| standing.channel.as_ref()) {
            Some(Err(error)) => warnings.push(format!("it goes over what is not trusted: {error}")),
            Some(Ok(before)) if before.payload.set != set => {
                let (found, set) = (before.payload.set.clone(), set.to_owned());
                if !self.force {
                    return Err(failed(PublishError::OtherSet { place: place.to_string(), found, set }));
                }
                warnings.push(format!(
                    "hosts that saw the set `{}` here refuse `{set}`, also when they start again, unless COGWIT_SET is \
                     `{set}` there",
                    one_line(&found)
                ));
            }
            Some(Ok(before)) if before.payload.expires.is_some() && self.expires.is_none() => {
                warnings.push("the channel had an expiry, and now has none: give it one by --expires".to_owned());
            }
            _ => {}
        }
        Ok(warnings)
    }

    /// Lets the channel point to a release that lies in the store, whose set may.
    pub(super) fn point(
        &self,
        store: &Store,
        standing: &Standing,
        release: (&str, &str),
        mut warnings: Vec<String>,
    ) -> Result<Shipped, Failure> {
        let (set, release) = release;
        let key = self.signer.as_ref().map(Signer::key_id);
        let sign = |payload: &[u8], comment: &str| match &self.signer {
            Some(signer) => signer.sign(payload, comment).map_err(|failure| failure.to_string()),
            None => Ok(String::new()),
        };
        let state = State::of(&store.place, &self.config);
        let seen = state.read()?;
        let order = Order {
            place: &store.place,
            set,
            release,
            expires: self.expires,
            key: key.as_deref(),
            sign: &sign,
            force: self.force,
            seen: seen.as_ref().map(|seen| &seen.newest),
            above: self.config.following.min_sequence.saturating_sub(1),
        };
        let verified = store.wait(store.bucket.point(&order, standing, &self.trust)).map_err(failed)?;
        // The channel has moved: a publisher who cannot remember that has to know, and nothing else.
        warnings.extend(state.keep(&verified).err().map(|failure| failure.to_string()));
        let payload = &verified.payload;
        Ok(Shipped {
            place: store.place.to_string(),
            set: payload.set.clone(),
            channel: payload.channel.clone(),
            release: payload.release.clone(),
            sequence: payload.sequence,
            key: verified.key.clone(),
            expires: payload.expires.map(|expires| humantime::format_rfc3339_seconds(expires).to_string()),
            before: standing
                .served()
                .map(|before| Before { release: before.payload.release.clone(), sequence: before.payload.sequence }),
            warnings,
        })
    }
}

/// Asks a person on the terminal. Where there is none, the answer is no.
fn confirm(question: &str) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(false);
    }
    report(&format!("{question} [y/N] "));
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(Failure::could_not_run)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// What is different from what the channel names now; none where that cannot be read.
pub(super) fn changed(store: &Store, standing: &Standing, release: &Release) -> Option<Vec<Change>> {
    let before = store.release(&standing.served()?.payload.release).ok()?;
    Some(changes(&before, release, true))
}

/// The lines of what the publisher should know.
pub(super) fn warned(warnings: &[String]) -> impl Iterator<Item = String> {
    warnings.iter().map(|warning| format!("  {}   {warning}", styled("warning", AnsiColor::Yellow)))
}

/// Nothing was published.
fn failed(error: PublishError) -> Failure {
    match &error {
        PublishError::Store(error) => failure(error),
        PublishError::Channel(place, ChannelError::Untrusted(Untrusted::OtherKey(_) | Untrusted::NoKey)) => {
            Failure::failed(format!(
                "the channel `{place}` is signed by a key that is not trusted here: add the line of its .pub file to \
                 COGWIT_TRUSTED_KEYS if it is a good one, or go over the channel with `--force`"
            ))
        }
        _ => Failure::failed(error),
    }
}

impl Shipped {
    /// The lines that both commands end with.
    pub(super) fn lines(&self, config: &Config) -> Vec<String> {
        let signed = match &self.key {
            Some(key) => format!("signed by the key {key}"),
            None => "signed by nobody".to_owned(),
        };
        let mut lines = vec![format!("  sequence  {}, {signed}", self.sequence)];
        lines.extend(self.expires.as_ref().map(|expires| format!("  expires   {expires}")));
        lines.extend(warned(&self.warnings));
        let interval = humantime::format_duration(config.following.interval);
        lines.push(format!("hosts that follow the channel take it over within their COGWIT_REFRESH ({interval} here), those in Lambda after their next answer"));
        lines
    }
}
