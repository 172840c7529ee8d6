//! Reads lines, of files or of standard input, with no more than one of them in memory.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};

use crate::failure::Failure;

/// The longest line that may be a record, in bytes: CloudWatch takes no longer ones.
const LONGEST: u64 = 1 << 20;

/// Where a line stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) file: &'a str,
    pub(super) line: u64,
}

/// Reads the files one after another; `-` is standard input. Of a line that is too long there is nothing.
pub(super) fn each(files: &[PathBuf], mut take: impl FnMut(At<'_>, Option<&[u8]>)) -> Result<(), Failure> {
    let bar = progress(files);
    for path in files {
        let name = if is_stdin(path) { "standard input".to_owned() } else { path.display().to_string() };
        let opened: io::Result<Box<dyn Read>> =
            if is_stdin(path) { Ok(Box::new(io::stdin())) } else { File::open(path).map(|file| Box::new(file) as _) };
        opened
            .and_then(|file| each_of(BufReader::new(bar.wrap_read(file)), &name, &mut take))
            .map_err(|error| Failure::could_not_run(format!("cannot read `{name}`: {error}; check the path")))?;
    }
    bar.finish_and_clear();
    Ok(())
}

fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

/// How far it is, where a terminal shows it.
fn progress(files: &[PathBuf]) -> ProgressBar {
    let length = |path: &PathBuf| fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|file| file.len());
    let (bar, template) = match files.iter().map(length).sum() {
        Some(length) => (ProgressBar::new(length), "{bar:30} {bytes}/{total_bytes}"),
        None => (ProgressBar::new_spinner(), "{spinner} {bytes}"),
    };
    bar.with_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn each_of(mut reader: impl BufRead, file: &str, take: &mut impl FnMut(At<'_>, Option<&[u8]>)) -> io::Result<()> {
    let mut bytes = Vec::new();
    for line in 1.. {
        bytes.clear();
        if reader.by_ref().take(LONGEST).read_until(b'\n', &mut bytes)? == 0 {
            break;
        }
        let whole = bytes.ends_with(b"\n") || reader.skip_until(b'\n')? == 0;
        take(At { file, line }, whole.then_some(bytes.trim_ascii()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_too_long_is_told_and_the_next_is_read() {
        let long = "x".repeat(usize::try_from(LONGEST).unwrap() - 1);
        let text = format!("a\n{long}\n{long}y\n{long}yz\n\nb");
        let mut lines = Vec::new();
        let mut take = |at: At<'_>, line: Option<&[u8]>| lines.push((at.line, line.map(<[u8]>::len)));
        each_of(text.as_bytes(), "it", &mut take).unwrap();
        assert_eq!(lines, [(1, Some(1)), (2, Some(long.len())), (3, None), (4, None), (5, Some(0)), (6, Some(1))]);
    }
}
