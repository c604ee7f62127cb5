//! From what is desired to the bodies of the API's writing calls: pure, by bollard's models, so that a field has the name
//! that the API knows it by.

mod archive;
mod container;
mod host;
mod mount;
mod network;
#[cfg(test)]
mod tests;

pub(super) use archive::archive;
pub use container::Creation;
pub(super) use container::creation;
pub(super) use host::update;
pub(super) use network::{connection, disconnection, endpoint, network, volume};

use std::collections::BTreeMap;

/// `None` where there is nothing to say.
fn list<T>(items: impl IntoIterator<Item = T>) -> Option<Vec<T>> {
    let items: Vec<T> = items.into_iter().collect();
    (!items.is_empty()).then_some(items)
}

/// A map of bollard's kind; `None` where there is nothing to say.
fn map<M: FromIterator<(String, String)>>(items: &BTreeMap<String, String>) -> Option<M> {
    (!items.is_empty()).then(|| items.iter().map(|(key, value)| (key.clone(), value.clone())).collect())
}
