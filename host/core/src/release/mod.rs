//! Ships policy sets: signed releases in a store, and a host that takes them over while it decides.
//!
//! ```text
//! components/sha256/<digest>.wasm     never changes
//! native/sha256/<digest>.cwasm        never changes; machine code, listed in the release by its own digest
//! releases/<digest>.json              never changes; the resolved set and its cases
//! channels/<name>.json                the one object that changes: what is served, signed
//! history/<name>/<sequence>.json      what the channel was before
//! ```

mod place;
mod error;
mod bucket;
mod trust;
mod channel;
mod document;
mod fetch;

mod publish;
mod chain;
mod live;

pub use bucket::{Access, Bucket, Patience, Version};
pub use chain::{ChainError, Gap, Knowledge, Position, Witness};
pub use channel::{Channel, ChannelError, Payload, Verified};
pub use document::{Artifact, NativeArtifact, NativeCode, Release, ReleaseError, channel_key, release_key};
pub use error::StoreError;
pub use fetch::{FetchError, Fetched};
pub use live::{Following, Live, Refreshed, Reverted, Serving, Setup};
pub use place::{Place, PlaceError, Root};
pub use publish::{Order, Progress, PublishError, Sign, Standing, Uploaded};
pub use trust::{Trust, TrustedKey, UnreadableKey, Untrusted};
