//! Compares the versions that interface names carry.

/// The name without its version.
pub(super) fn interface(name: &str) -> &str {
    name.split_once('@').map_or(name, |(interface, _)| interface)
}

/// Whether `given` answers to `asked`: the same interface, and the same track or, for a prerelease, the same version.
pub(super) fn is_version_of(asked: &str, given: &str) -> bool {
    let (Some((theirs, version)), Some((ours, our_version))) = (asked.split_once('@'), given.split_once('@')) else {
        return false;
    };
    let wanted = track(version);
    theirs == ours && (version == our_version || (wanted.is_some() && wanted == track(our_version)))
}

/// What two versions must share to be compatible: `0.1` of 0.1.7, `2` of 2.3.4. None for a prerelease and for 0.0.x.
fn track(version: &str) -> Option<&str> {
    let (major, rest) = version.split_once('.')?;
    let (minor, patch) = rest.split_once('.')?;
    let plain = [major, minor, patch].iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    match (plain, major, minor) {
        (false, ..) | (_, "0", "0") => None,
        (_, "0", _) => version.get(..major.len() + 1 + minor.len()),
        _ => Some(major),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_track() {
        for (name, given, same) in [
            ("a:b/c@0.1.7", "0.1.0", true),
            ("a:b/c@0.2.0", "0.1.0", false),
            ("a:b/c@2.5.0", "2.0.1", true),
            ("a:b/c@0.0.2", "0.0.1", false),
            ("a:b/c@0.1.0-draft", "0.1.0-draft", true),
            ("a:b/c@0.1.0-draft", "0.1.0", false),
            ("a:b/c", "0.1.0", false),
            ("a:b/cc@0.1.0", "0.1.0", false),
        ] {
            assert_eq!(is_version_of(name, &format!("a:b/c@{given}")), same, "{name} {given}");
        }
    }
}
