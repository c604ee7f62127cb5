//! What should be and what is, as data: no Engine, no clock.

pub mod desired;
pub mod difference;
pub mod observed;
mod overlay;
pub mod platform;
pub mod settings;
pub mod shim;
pub mod simulate;
pub mod vlan;
