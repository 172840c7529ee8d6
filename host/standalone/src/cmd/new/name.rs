//! Checks the name of a policy, which is its crate's, its component's and its entry's in a set.

/// Names that a crate cannot have, or that would be mistaken for another one.
const TAKEN: [&str; 8] = ["alloc", "cogwit-core", "cogwit-sdk", "core", "proc-macro", "std", "test", "wit-bindgen"];

/// Words of the language, strict and reserved, that fit the other rules.
const KEYWORDS: [&str; 51] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod",
    "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super", "trait", "true",
    "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// The name, if a crate and a policy can have it.
pub(super) fn checked(name: &str) -> Result<String, String> {
    let plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if !plain || !name.starts_with(|first: char| first.is_ascii_lowercase()) || name.len() > 64 {
        return Err("write 1 to 64 lower-case letters, digits and `-`, and begin with a letter".to_owned());
    }
    if KEYWORDS.contains(&name) {
        return Err("it is a word of the language: add one of your own, such as `my-` before it".to_owned());
    }
    if TAKEN.contains(&name) {
        return Err("another crate has that name: add a word of your own, such as `my-` before it".to_owned());
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_crates() {
        for good in ["a", "staff-only", "a1", "type-check", "pre-sign-up", "settings", &"a".repeat(64)] {
            assert_eq!(checked(good).as_deref(), Ok(good));
        }
        for odd in ["", "1a", "-a", "Staff", "staff_only", "a.b", "a b", "é", "../a", &"a".repeat(65)] {
            assert!(checked(odd).unwrap_err().starts_with("write 1 to 64 "), "{odd}");
        }
        for word in ["fn", "type", "yield", "async"] {
            assert!(checked(word).unwrap_err().starts_with("it is a word of the language"), "{word}");
        }
        for taken in ["test", "core", "std", "cogwit-sdk"] {
            assert!(checked(taken).unwrap_err().starts_with("another crate has that name"), "{taken}");
        }
    }
}
