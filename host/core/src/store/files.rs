//! Reads files up to a size, and takes digests.

use std::fs;
use std::io::Read;
use std::path::Path;

use super::SourceError;

/// The largest document or lock, in bytes.
const MAX_TEXT_BYTES: u64 = 4 << 20;

/// Reads a file of at most `most` bytes. What a device or a pipe would say of its size does not count.
pub(super) fn read_file(path: &Path, most: u64) -> Result<Vec<u8>, SourceError> {
    let mut bytes = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(most + 1).read_to_end(&mut bytes))
        .map_err(|reason| SourceError::Unreadable { path: path.to_owned(), reason })?;
    match bytes.len() as u64 > most {
        true => Err(SourceError::TooLarge { path: path.to_owned(), most }),
        false => Ok(bytes),
    }
}

pub(super) fn read_text(path: &Path) -> Result<String, SourceError> {
    let not_text = |reason| SourceError::NotText { path: path.to_owned(), reason };
    String::from_utf8(read_file(path, MAX_TEXT_BYTES)?).map_err(not_text)
}
