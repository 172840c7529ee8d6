//! Makes a text that somebody else had a hand in safe to show: on one line, without anything that steers a terminal.

/// `text` with a blank for every control character, line separator, and mark that hides or reorders text.
pub fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || hides(c) { ' ' } else { c }).collect()
}

/// Zero-width blanks, bidirectional controls and separators; not the joiners that emoji and scripts need.
fn hides(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn what_steers_a_terminal_becomes_a_blank() {
        assert_eq!(one_line("a\u{1b}[2J\nb\u{202e}c\u{200b}d"), "a [2J b c d");
        assert_eq!(one_line("né 日本 👩\u{200d}💻"), "né 日本 👩\u{200d}💻");
    }
}
