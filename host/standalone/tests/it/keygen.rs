//! Makes keys: files that minisign's own library reads, never over others, and never open to others.

use std::fs;

use minisign::{SecretKeyBox, sign};
use minisign_verify::{PublicKey, Signature};
use snapbox::str;

use crate::program::{Cogwit, is, json, stderr, stdout};
use crate::support::Folder;

/// `cogwit keygen` in this folder.
fn keygen(folder: &Folder) -> Cogwit {
    folder.cogwit("keygen")
}

/// Signs with a secret key's file and verifies with a public key's file, as others than us would.
#[track_caller]
fn belong_together(folder: &Folder, name: &str, password: Option<&str>) {
    let secret = SecretKeyBox::from_string(&folder.text(&format!("{name}.key"))).unwrap();
    let secret = match password {
        Some(password) => secret.into_secret_key(Some(password.to_owned())),
        None => secret.into_unencrypted_secret_key(),
    };
    let signature = sign(None, &secret.unwrap(), &b"payload"[..], Some("a comment"), None).unwrap();
    let signature = Signature::decode(&signature.into_string()).unwrap();
    let public = PublicKey::decode(&folder.text(&format!("{name}.pub"))).unwrap();
    public.verify(b"payload", &signature, false).unwrap();
}

#[test]
fn a_key_is_made_and_its_line_is_told() {
    let folder = Folder::new();
    let ended = keygen(&folder).arg("--no-password").ends(0).stderr_eq("").stdout_eq(str![[r#"
made: the key [..]
  cogwit.key  signs; not encrypted: whoever reads it can sign
  cogwit.pub  verifies; anybody may have it

hosts that are to take nothing but what this key signed:
  COGWIT_TRUSTED_KEYS=RW[..]

next:
  keep cogwit.key out of the repository, and a copy of it in a safe place
  cogwit publish ... --key cogwit.key

"#]]);
    belong_together(&folder, "cogwit", None);
    let told = stdout(&ended);
    let id = told.lines().next().unwrap().strip_prefix("made: the key ").unwrap();
    let line = told.lines().find_map(|line| line.strip_prefix("  COGWIT_TRUSTED_KEYS=")).unwrap();
    assert_eq!(folder.text("cogwit.pub"), format!("untrusted comment: minisign public key {id}\n{line}\n"));
    let comment = format!("untrusted comment: secret key {id} of cogwit, not encrypted\n");
    assert!(folder.text("cogwit.key").starts_with(&comment), "{}", folder.text("cogwit.key"));
    assert!(id.len() == 16 && id.chars().all(|c| matches!(c, '0'..='9' | 'A'..='F')), "{id}");
}

#[test]
fn what_was_made_as_json() {
    let folder = Folder::new().with("keys/password", "pa ss\n");
    let made = keygen(&folder).args(["--out", "keys/v1.0", "--password-file", "keys/password", "--format", "json"]);
    let ended = made.ends(0).stderr_eq("");
    is(
        serde_json::to_string_pretty(&json(&ended)).unwrap(),
        str![[r#"
{
  "encrypted": true,
  "keyId": "[..]",
  "publicKey": "RW[..]",
  "publicKeyFile": "keys/v1.0.pub",
  "secretKeyFile": "keys/v1.0.key"
}
"#]],
    );
    let public = folder.text("keys/v1.0.pub");
    let [id, line] = ["keyId", "publicKey"].map(|key| json(&ended)[key].as_str().unwrap().to_owned());
    assert_eq!(public, format!("untrusted comment: minisign public key {id}\n{line}\n"));
    belong_together(&folder, "keys/v1.0", Some("pa ss"));
    assert!(folder.text("keys/v1.0.key").contains(", encrypted\n"));
}

#[test]
fn a_file_that_is_there_stays_without_force() {
    let folder = Folder::new().with("old.key", "secret").with("half.pub", "public");
    for (name, file) in [("old", "old.key"), ("half", "half.pub")] {
        let report = stderr(&keygen(&folder).args(["--no-password", "--out", name]).ends(4).stdout_eq(""));
        let text = "is there already: name another one by --out, or add --force if nothing is signed with it";
        assert_eq!(report, format!("error: `{file}` {text}\n"));
    }
    assert_eq!((folder.text("old.key").as_str(), folder.text("half.pub").as_str()), ("secret", "public"));
    for absent in ["old.pub", "half.key"] {
        assert!(fs::exists(folder.path(absent)).is_ok_and(|there| !there), "{absent}");
    }
    keygen(&folder).args(["--no-password", "--out", "old", "--force"]).ends(0);
    belong_together(&folder, "old", None);
}

#[cfg(unix)]
#[test]
fn a_secret_key_is_its_owners_alone() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = Folder::new().with("old.key", "open to all").with("elsewhere", "of somebody else");
    fs::set_permissions(folder.path("old.key"), fs::Permissions::from_mode(0o666)).unwrap();
    symlink("elsewhere", folder.path("link.key")).unwrap();
    symlink("nowhere", folder.path("dangling.key")).unwrap();
    let dangling = stderr(&keygen(&folder).args(["--no-password", "--out", "dangling"]).ends(4));
    assert!(dangling.contains("`dangling.key` is there already"), "{dangling}");
    for name in ["new", "old", "link"] {
        keygen(&folder).args(["--no-password", "--force", "--out", name]).ends(0);
        let metadata = fs::symlink_metadata(folder.path(&format!("{name}.key"))).unwrap();
        assert!(metadata.is_file(), "{name}");
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{name}");
    }
    assert_eq!(folder.text("elsewhere"), "of somebody else");
}

#[test]
fn a_password_is_asked_for_on_a_terminal_only() {
    let folder = Folder::new().with("empty", "\nsecond").with("taken.key", "");
    keygen(&folder).stdin("pass\npass\n").ends(2).stdout_eq("").stderr_eq(str![[r#"
error: there is no terminal to ask for a password: add `--password-file FILE`, or `--no-password` for a key that is not encrypted

"#]]);
    keygen(&folder).args(["--password-file", "empty"]).ends(2).stdout_eq("").stderr_eq(str![[r#"
error: the password is empty: write one, or add `--no-password` for a key that is not encrypted

"#]]);
    keygen(&folder).args(["--password-file", "none"]).ends(4).stdout_eq("").stderr_eq(str![[r#"
error: cannot read the password in `none`: No such file or directory (os error 2); check the path

"#]]);
    let both = stderr(&keygen(&folder).args(["--password-file", "empty", "--no-password"]).ends(2));
    assert!(both.contains("cannot be used with"), "{both}");
    // Nobody thinks of a password in vain.
    let taken = stderr(&keygen(&folder).args(["--out", "taken"]).ends(4));
    assert!(taken.contains("`taken.key` is there already"), "{taken}");
    for absent in ["cogwit.key", "cogwit.pub"] {
        assert!(fs::exists(folder.path(absent)).is_ok_and(|there| !there), "{absent}");
    }
}

#[test]
fn a_place_that_cannot_be_written_says_so() {
    let folder = Folder::new();
    let refused = |name: &str, code| stderr(&keygen(&folder).args(["--no-password", "--out", name]).ends(code));
    let missing =
        "error: cannot write `no/such.key`: No such file or directory (os error 2); name another place by --out\n";
    assert_eq!(refused("no/such", 4), missing);
    assert_eq!(refused("keys/", 2), "error: --out `keys/` names no file: write a name such as `keys/cogwit`\n");
}
