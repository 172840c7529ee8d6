//! Reads files up to a size, and takes digests.

use std::fs;
use std::io::Read;
use std::path::Path;

use super::SourceError;

/// The largest document or lock, in bytes.
const MAX_TEXT_BYTES: u64 = 4 << 20;

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

pub(super) fn read_text(path: &Path) -> Result<String, SourceError> {
    let not_text = |reason| SourceError::NotText { path: path.to_owned(), reason };
    String::from_utf8(read_file(path, MAX_TEXT_BYTES)?).map_err(not_text)
}
