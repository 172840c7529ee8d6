//! Reads the settings as members of `response`, by their paths.

use cogwit_sdk::{Denial, settings};

/// Members by path, and what they shall be.
pub(crate) struct Script(Vec<(String, String)>);

impl Script {
    /// What the settings say, unless they say to refuse or to break.
    #[expect(clippy::panic, reason = "shows what becomes of a policy that breaks")]
    pub(crate) fn read() -> Result<Self, Denial> {
        let script = Self(settings::all());
        match (script.text("panic"), script.text("deny")) {
            (Some(text), _) => panic!("{text}"),
            (_, Some(message)) => Err(Denial::new(message)),
            _ => Ok(script),
        }
    }

    /// A text.
    pub(crate) fn text(&self, member: &str) -> Option<String> {
        self.0.iter().find(|(path, _)| path == member).map(|(_, text)| text.clone())
    }

    /// A boolean.
    pub(crate) fn flag(&self, member: &str) -> Result<Option<bool>, Denial> {
        self.word(member, &FLAGS)
    }

    /// One of these words, as what it stands for.
    pub(crate) fn word<T: Copy>(&self, member: &str, words: &[(&str, T)]) -> Result<Option<T>, Denial> {
        self.text(member).map(|text| word(member, &text, words)).transpose()
    }

    /// Texts, with commas between.
    pub(crate) fn list(&self, member: &str) -> Option<Vec<String>> {
        self.text(member).map(|text| entries(&text).map(str::to_owned).collect())
    }

    /// Such words, with commas between.
    pub(crate) fn words<T: Copy>(&self, member: &str, words: &[(&str, T)]) -> Result<Option<Vec<T>>, Denial> {
        self.text(member).map(|text| entries(&text).map(|it| word(member, it, words)).collect()).transpose()
    }

    /// What stands below a member.
    pub(crate) fn below(&self, member: &str) -> Option<Self> {
        let below = |path: &str| Some(path.strip_prefix(member)?.strip_prefix('.')?.to_owned());
        let members: Vec<_> = self.0.iter().filter_map(|(path, text)| Some((below(path)?, text.clone()))).collect();
        (!members.is_empty() || self.text(member).is_some()).then_some(Self(members))
    }

    /// Texts by name.
    pub(crate) fn map(&self, member: &str) -> Option<Vec<(String, String)>> {
        self.below(member).map(|script| script.0)
    }
}

/// The words of a boolean.
pub(crate) const FLAGS: [(&str, bool); 2] = [("true", true), ("false", false)];

/// The entries of a list.
pub(crate) fn entries(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|entry| !entry.is_empty())
}

/// What a word stands for.
pub(crate) fn word<T: Copy>(member: &str, text: &str, words: &[(&str, T)]) -> Result<T, Denial> {
    let known = words.iter().find(|(word, _)| *word == text);
    known.map(|(_, value)| *value).ok_or_else(|| {
        let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        unreadable(member, text, &words.join(" or "))
    })
}

/// The denial of a value that cannot be read.
pub(crate) fn unreadable(member: &str, text: &str, wanted: &str) -> Denial {
    Denial::new(format!("`{member}` is `{text}`: write {wanted}"))
}
