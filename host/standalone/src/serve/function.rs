//! Reads the name of a function, as the Invoke API takes it.
//!
//! <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_RequestParameters>

use super::refused::{Refused, shown};

/// The function whose qualifier names one policy of the set, to which alone the decision is left. Not as an ARN: that is of a
/// function that was deployed, and its qualifier an alias.
const PINNING: &str = "cogwit";

/// The most characters of a name, and of a qualifier.
const MOST_NAME: usize = 140;
const MOST_QUALIFIER: usize = 128;

/// The qualifier of what was deployed last.
pub(super) const LATEST: &str = "$LATEST";

/// The same of a function that has no other versions.
const PUBLISHED: &str = "$LATEST.PUBLISHED";

/// A function, as a caller names it. Any name will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Function {
    pub(super) name: String,
    /// The one policy that is asked for.
    pub(super) policy: Option<String>,
}

impl Function {
    /// Reads a name, a name with a qualifier, or a whole or partial ARN, with the qualifier of the query beside it.
    pub(super) fn read(text: &str, query: Option<&str>) -> Result<Self, Refused> {
        let invalid = |at: &str, value: &str| {
            Refused::parameter(format!(
                "1 validation error detected: Value '{}' at '{at}' failed to satisfy constraint: write a function's name, NAME:QUALIFIER or an ARN",
                shown(value)
            ))
        };
        let (name, qualifier) = split(text).ok_or_else(|| invalid("functionName", text))?;
        let query = query.filter(|query| !query.is_empty());
        if let Some(query) = query.filter(|query| !is_qualifier(query)) {
            return Err(invalid("qualifier", query));
        }
        if query.is_some() && qualifier.is_some_and(|qualifier| Some(qualifier) != query) {
            return Err(Refused::parameter(
                "The derived qualifier from the function name does not match the specified qualifier.".to_owned(),
            ));
        }
        let pins = name == PINNING && text.starts_with(PINNING);
        let policy = qualifier.or(query).filter(|qualifier| pins && !qualifier.starts_with(LATEST));
        Ok(Self { name: name.to_owned(), policy: policy.map(str::to_owned) })
    }

    /// The function that leaves the decision to one policy; or to all of them.
    pub(super) fn pinning(policy: Option<String>) -> Self {
        Self { name: PINNING.to_owned(), policy }
    }
}

/// The name and the qualifier: `[arn:PARTITION:lambda:][REGION:][ACCOUNT:][function:]NAME[:QUALIFIER]`.
fn split(text: &str) -> Option<(&str, Option<&str>)> {
    let mut rest = text;
    if let Some(arn) = text.strip_prefix("arn:") {
        let (partition, after) = arn.split_once(':')?;
        rest = after.strip_prefix("lambda:").filter(|_| is_word(partition))?;
    }
    for is_prefix in [is_region, is_account, |part: &str| part == "function"] {
        rest = rest.split_once(':').filter(|(part, _)| is_prefix(part)).map_or(rest, |(_, after)| after);
    }
    let (name, qualifier) = rest.split_once(':').map_or((rest, None), |(name, qualifier)| (name, Some(qualifier)));
    let fits = is_word(name) && name.len() <= MOST_NAME && qualifier.is_none_or(is_qualifier);
    fits.then_some((name, qualifier))
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

fn is_qualifier(text: &str) -> bool {
    text.len() <= MOST_QUALIFIER && (text == LATEST || text == PUBLISHED || is_word(text))
}

/// Emulators have a region of one word.
fn is_region(part: &str) -> bool {
    part == "local" || (part.split('-').count() >= 3 && part.ends_with(|c: char| c.is_ascii_digit()) && is_word(part))
}

fn is_account(part: &str) -> bool {
    part.len() == 12 && part.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, query: Option<&str>) -> Option<(String, Option<String>)> {
        Function::read(text, query).ok().map(|it| (it.name, it.policy))
    }

    #[test]
    fn a_name_is_read_however_much_of_an_arn_stands_before_it() {
        for before in [
            "",
            "function:",
            "123456789012:function:",
            "123456789012:",
            "eu-west-1:123456789012:function:",
            "arn:aws:lambda:eu-west-1:123456789012:function:",
            "arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:",
            "arn:aws:lambda:local:123456789012:function:",
        ] {
            let named = |name: &str, policy: Option<&str>| Some((name.to_owned(), policy.map(str::to_owned)));
            assert_eq!(read(&format!("{before}my-pre_1.0:live"), None), named("my-pre_1.0", None), "{before}");
            assert_eq!(read(&format!("{before}cogwit"), None), named("cogwit", None), "{before}");
            let pinned = |policy| before.is_empty().then_some(policy);
            assert_eq!(read(&format!("{before}cogwit:a.b"), None), named("cogwit", pinned("a.b")), "{before}");
            assert_eq!(read(&format!("{before}cogwit:$LATEST"), Some("")), named("cogwit", None), "{before}");
            assert_eq!(read(&format!("{before}cogwit:$LATEST.PUBLISHED"), None), named("cogwit", None), "{before}");
            assert_eq!(read(&format!("{before}cogwit"), Some("a")), named("cogwit", pinned("a")), "{before}");
        }
        assert_eq!(read("123456789012", None), Some(("123456789012".to_owned(), None)));
        assert_eq!(read("function", None), Some(("function".to_owned(), None)));
    }

    #[test]
    fn what_names_no_function_is_refused() {
        let long = "a".repeat(141);
        for text in
            ["", ":", "a:", ":a", "a b", "a/b", "../a", "a:b:c", "arn:aws:s3:::bucket", "arn:", "ä", "a\n", &long]
        {
            assert_eq!(read(text, None), None, "{text}");
        }
        assert_eq!(read("a:one", Some("two")), None);
        assert_eq!(read("a", Some("t/o")), None);
        assert_eq!(read("a:one", Some("one")), Some(("a".to_owned(), None)));
    }
}
