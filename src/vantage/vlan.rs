//! VLAN links on the Engine's host: made and removed through the probe, where the Engine cannot make them.

use super::shim::change;
use crate::engine::Engine;
use crate::probe::{ProbeError, Question};
use crate::state::vlan::DesiredVlan;

/// Makes one.
///
/// # Errors
/// When the host cannot be entered, or its kernel refuses; then nothing of it is left.
pub async fn make(engine: &Engine, wanted: &DesiredVlan) -> Result<(), ProbeError> {
    let question = Question::MakeVlan {
        name: wanted.link.name.clone(),
        draft: wanted.draft.clone(),
        label: wanted.label.clone(),
        parent: wanted.link.parent.clone(),
        id: wanted.link.id,
        protocol: wanted.link.protocol.ethertype(),
        mtu: wanted.link.mtu,
    };
    change(engine, question).await
}

/// Takes one away; one that is gone is well.
///
/// # Errors
/// When the host cannot be entered, the link is not ours, or something stands on it.
pub async fn remove(engine: &Engine, name: &str, label: &str) -> Result<(), ProbeError> {
    change(engine, Question::RemoveVlan { name: name.to_owned(), label: label.to_owned() }).await
}
