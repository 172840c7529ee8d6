//! Reads e-mail addresses as policies need them.

/// The domain of an address: what stands after the last `@`. None where it or the part before it is empty.
///
/// Compare domains with [`str::eq_ignore_ascii_case`].
pub fn domain(address: &str) -> Option<&str> {
    let (local, domain) = address.rsplit_once('@')?;
    (!local.is_empty() && !domain.is_empty()).then_some(domain)
}

#[cfg(test)]
mod tests {
    use super::domain;

    #[test]
    fn the_last_at_sign_counts() {
        assert_eq!(domain("ann@example.com"), Some("example.com"));
        assert_eq!(domain("\"a@b\"@example.com"), Some("example.com"));
        assert_eq!(domain("ann"), None);
        assert_eq!(domain("ann@"), None);
        assert_eq!(domain("@example.com"), None);
        assert_eq!(domain(""), None);
    }
}
