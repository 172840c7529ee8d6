//! Small policies that say what the cases want to hear, and a set of them.

use crate::program::{Cogwit, json};
use crate::support::{Folder, probe};

/// Eight letters in memory.
fn letters(at: u32, text: &str) -> String {
    let bytes = <[u8; 8]>::try_from(text.as_bytes()).unwrap();
    format!("(i64.store (i32.const {at}) (i64.const {}))", i64::from_le_bytes(bytes))
}

fn words(at: u32, words: &[u32]) -> String {
    let store = |(place, word): (u32, &u32)| format!("(i32.store (i32.const {}) (i32.const {word}))", at + place * 4);
    (0_u32..).zip(words).map(store).collect()
}

/// Confirms the user, and logs "good day".
pub(crate) fn confirming() -> Vec<u8> {
    let log = "(call $wasi (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 2048) (i32.const 8))";
    let confirm = words(64, &[0, 0x0101]);
    probe(&format!("{}{log}{confirm}(i32.const 64)", letters(2048, "good day")))
}

/// Confirms the user and counts the e-mail as verified, of which a host warns.
pub(crate) fn verifying() -> Vec<u8> {
    probe(&format!("{}(i32.const 64)", words(64, &[0, 0x0101_0101])))
}

/// Denies with these 8 letters, "too soon" being the reason.
pub(crate) fn denying(message: &str) -> Vec<u8> {
    let texts = letters(2048, message) + &letters(2056, "too soon");
    probe(&format!("{texts}{}(i32.const 64)", words(64, &[1, 2048, 8, 1, 2056, 8])))
}

/// The set `it`: `confirm`, `verify`, `deny`, and `broken`, which is passed over.
pub(crate) const SET: &str = r#"
[[policy]]
name = "confirm"
component = "confirm.wasm"

[[policy]]
name = "verify"
component = "verify.wasm"

[[policy]]
name = "broken"
component = "broken.wasm"
on-fault = "allow"

[[policy]]
name = "deny"
component = "deny.wasm"
"#;

/// A folder with the set.
pub(crate) fn set() -> Folder {
    Folder::new()
        .with("confirm.wasm", confirming())
        .with("verify.wasm", verifying())
        .with("broken.wasm", probe("unreachable"))
        .with("deny.wasm", denying("not here"))
        .with_set(SET)
}

/// What `cogwit test` with these arguments says in JSON of each case, in order: its name and its status.
pub(crate) fn statuses(test: Cogwit, code: i32) -> Vec<(String, String)> {
    let told = json(&test.args(["--format", "json"]).ends(code));
    let text = |case: &serde_json::Value, key: &str| case[key].as_str().unwrap().to_owned();
    told["cases"].as_array().unwrap().iter().map(|case| (text(case, "name"), text(case, "status"))).collect()
}
