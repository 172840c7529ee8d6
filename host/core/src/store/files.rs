//! Reads files up to a size, and takes digests.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use super::SourceError;

/// Reads a file of at most `most` bytes. What a device or a pipe would say of its size does not count.
pub(super) fn read_file(path: &Path, most: u64) -> Result<Vec<u8>, SourceError> {
    let unreadable = |reason| SourceError::Unreadable { path: path.to_owned(), reason };
    let file = fs::File::open(path).map_err(unreadable)?;
    // Room for all of it at once, and for the read that finds the end.
    let size = file.metadata().map_or(0, |data| data.len().min(most));
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default() + 1);
    file.take(most + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    match bytes.len() as u64 > most {
        true => Err(SourceError::TooLarge { path: path.to_owned(), most }),
        false => Ok(bytes),
    }
}

/// Reads a file that a set or a case names. Only a regular file is opened: opening a pipe waits for whoever writes to it, and
/// opening a device may do something.
pub(super) fn read_regular(path: &Path, max: u64) -> Result<Vec<u8>, SourceError> {
    check_regular(path)?;
    read_file(path, max)
}

/// Refuses what is not a regular file, or a link to one.
///
/// # Errors
///
/// [`SourceError::Unreadable`].
pub fn check_regular(path: &Path) -> Result<(), SourceError> {
    let is_file = fs::metadata(path).map(|data| data.is_file());
    let checked =
        is_file.and_then(|is_file| if is_file { Ok(()) } else { Err(io::Error::other("not a regular file")) });
    checked.map_err(|reason| SourceError::Unreadable { path: path.to_owned(), reason })
}

pub(super) fn text(path: &Path, bytes: Vec<u8>) -> Result<String, SourceError> {
    String::from_utf8(bytes).map_err(|reason| SourceError::NotText { path: path.to_owned(), reason })
}
