//! From what should be and what is to a [`Plan`]: what is done, in which order, and why.

mod builder;
pub mod down;
#[cfg(test)]
mod down_tests;
mod graph;
pub mod images;
pub mod joint;
#[cfg(test)]
mod joint_tests;
#[cfg(test)]
pub(crate) mod lab;
#[cfg(test)]
mod law;
pub mod lifecycle;
mod operation;
mod proof;
pub mod restore;
mod text;
pub mod up;

pub use builder::{Handle, PlanBuilder};
pub use graph::{Plan, Step, StepId};
pub use operation::{
    Cause, ExistingNetwork, ExistingShim, LinkEnd, Needs, NewContainer, OnFailure, Operation, Phase, Target, Wait,
};
pub use proof::Flaw;
pub use text::Line;
