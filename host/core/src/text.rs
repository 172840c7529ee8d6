//! Makes a text that somebody else had a hand in safe to show: on one line, without anything that steers a terminal.

/// `text` with a blank for every control character, line separator, and mark that hides or reorders text.
pub fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || hides(c) { ' ' } else { c }).collect()
}

/// A report of several lines: the same, but its line breaks and its colours stay.
pub fn lines(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (kept, after) = rest.split_at(color(rest).unwrap_or(c.len_utf8()));
        match kept.len() > 1 && c == '\u{1b}' || c == '\n' {
            true => safe.push_str(kept),
            false => safe.push_str(&one_line(kept)),
        }
        rest = after;
    }
    safe
}

/// The length of the sequence that sets a colour with which `text` begins.
fn color(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let end = parameters.find(|c: char| !(c.is_ascii_digit() || c == ';'))?;
    parameters.get(end..)?.starts_with('m').then_some(end + 3)
}

/// `text` between backticks, with an apostrophe for every mark that would end them: what stands in a sentence of the host is then
/// the part between the marks.
pub(crate) fn quote(text: &str) -> String {
    format!("`{}`", without_marks(text))
}

/// `text` as [`quote`] shows it, without the marks around it.
pub(crate) fn without_marks(text: &str) -> String {
    one_line(text).replace(['`', '"'], "'")
}

/// Zero-width blanks, bidirectional controls, separators and tags; not the joiners that emoji and scripts need.
fn hides(c: char) -> bool {
    matches!(
        c,
        '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_becomes_a_blank() {
        assert_eq!(one_line("a\u{1b}[2J\nb\u{202e}c\u{200b}d"), "a [2J b c d");
        for c in "\r\u{7f}\u{85}\u{9b}\u{61c}\u{2028}\u{2029}\u{200f}\u{2066}\u{2069}\u{feff}\u{e0001}\u{e007f}".chars()
        {
            assert_eq!(one_line(&c.to_string()), " ", "{c:?}");
        }
        assert_eq!(one_line("né 日本 👩\u{200d}💻"), "né 日本 👩\u{200d}💻");
    }

    #[test]
    fn a_report_keeps_its_lines_and_colours_alone() {
        let report = "\u{1b}[1m\u{1b}[31mdeny\u{1b}[0m: it\n  né\n";
        assert_eq!(lines(report), report);
        assert_eq!(lines("a\u{1b}[2Jb\u{1b}]0;t\u{7}\r\n\u{9b}31m\u{202e}\u{1b}[1"), "a [2Jb ]0;t  \n 31m  [1");
        assert_eq!(lines("\u{1b}"), " ");
    }
}
