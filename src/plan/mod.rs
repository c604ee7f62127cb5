//! From what should be and what is to a [`Plan`]: what is done, in which order, and why.

mod operation;

pub use operation::{Cause, Needs, OnFailure, Operation, Target, Wait};
