//! Keeps the newest payload of each channel that this machine saw, where the store cannot change it.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use cogwit_core::config::Config;
use cogwit_core::digest::sha256;
use cogwit_core::release::{Place, Position, Verified};
use etcetera::BaseStrategy as _;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// What this machine saw of a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Seen {
    schema: u32,
    store: String,
    channel: String,
    /// The newest payload.
    pub(crate) newest: Position,
    /// The release that it names.
    pub(crate) release: String,
    /// When this machine saw it.
    pub(crate) time: String,
}

/// The file of one channel.
pub(crate) struct State {
    place: Place,
    /// None: nothing is kept.
    file: Option<PathBuf>,
}

impl State {
    /// The file of a channel in the folder of `COGWIT_STATE`, which need not exist yet.
    pub(crate) fn of(place: &Place, config: &Config) -> Self {
        let usual = etcetera::choose_base_strategy().ok().and_then(|folders| folders.state_dir());
        let folder = config.state.folder(usual.map(|folder| folder.join("cogwit")));
        let name = format!("{}.json", sha256(place.to_string().as_bytes()));
        Self { place: place.clone(), file: folder.map(|folder| folder.join(name)) }
    }

    /// What was seen of the channel. None: this machine has not seen it.
    pub(crate) fn read(&self) -> Result<Option<Seen>, Failure> {
        let Some(file) = &self.file else { return Ok(None) };
        read(file, &self.place).map_err(|error| {
            Failure::could_not_run(format!(
                "cannot read what this machine saw of `{}` in `{}`: {error}; restore the file, or delete it and name what the \
                 store serves with `--expect`",
                self.place,
                file.display()
            ))
        })
    }

    /// Keeps a payload, unless a newer one is kept already.
    pub(crate) fn keep(&self, verified: &Verified) -> Result<(), Failure> {
        let Some(file) = &self.file else { return Ok(()) };
        write(file, &self.place, verified).map_err(|error| {
            Failure::could_not_run(format!(
                "cannot keep what this machine saw of `{}` in `{}`: {error}; check the folder, or set COGWIT_STATE to another",
                self.place,
                file.display()
            ))
        })
    }
}

fn read(file: &Path, place: &Place) -> io::Result<Option<Seen>> {
    let text = match fs::read(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let seen: Seen = serde_json::from_slice(&text)?;
    let is_ours = seen.schema == 1 && seen.store == place.root.to_string() && seen.channel == place.channel;
    is_ours
        .then_some(Some(seen))
        .ok_or_else(|| io::Error::other("it is of another channel or another version of cogwit"))
}

fn write(file: &Path, place: &Place, verified: &Verified) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    // Of two publishers on this machine, one waits. The lock goes with the file.
    let lock = File::options().write(true).create(true).truncate(false).open(folder.join(".lock"))?;
    lock.lock()?;
    let newest = verified.position();
    if read(file, place)?.is_some_and(|seen| seen.newest.sequence >= newest.sequence) {
        return Ok(());
    }
    let seen = Seen {
        schema: 1,
        store: place.root.to_string(),
        channel: place.channel.clone(),
        newest,
        release: verified.payload.release.clone(),
        time: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
    };
    let draft = file.with_extension("tmp");
    let mut written = File::create(&draft)?;
    written.write_all(&serde_json::to_vec_pretty(&seen)?)?;
    written.sync_all()?;
    fs::rename(draft, file)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use cogwit_core::config::Cache;
    use cogwit_core::release::{Channel, Trust};

    use super::*;

    fn payload(sequence: u64) -> Verified {
        let release = "0".repeat(64);
        let payload = format!(
            r#"{{"schema":1,"set":"it","channel":"prod","release":"{release}","sequence":{sequence},"issued":"2026-11-22T12:00:00Z"}}"#
        );
        let object = Channel { payload, signature: String::new() }.to_bytes();
        Channel::verify(&object, &Trust { keys: Vec::new(), unsigned: true }, "prod").unwrap()
    }

    #[test]
    fn what_is_kept_never_gets_older() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config { state: Cache::In(folder.path().join("a/b")), ..Config::default() };
        let state = |place: &str| State::of(&place.parse().unwrap(), &config);
        let prod = state("s3://b/p#prod");
        assert_eq!(prod.read().unwrap(), None);
        thread::scope(|scope| {
            for sequence in [3, 9, 1, 7, 5, 8, 2] {
                let prod = &prod;
                scope.spawn(move || prod.keep(&payload(sequence)).unwrap());
            }
        });
        assert_eq!(prod.read().unwrap().unwrap().newest, payload(9).position());
        for other in ["s3://b/p#next", "s3://b#prod", "file:///p#prod"] {
            assert_eq!(state(other).read().unwrap(), None);
        }
        let off = State::of(&prod.place, &Config { state: Cache::Off, ..Config::default() });
        off.keep(&payload(1)).unwrap();
        assert_eq!(off.read().unwrap(), None);
    }
}
