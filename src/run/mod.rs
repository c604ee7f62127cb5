//! Carries a plan out: the scheduler that knows graphs and not Docker, the one match that knows Docker and no graph, and the
//! waiting by the Engine's events.

mod apply;
mod eager;
mod execute;
mod hook;
mod interrupt;
mod outcome;
mod wait;

pub use apply::{HealthBy, Options, run, run_over};
pub use execute::{AtOnce, Lane, execute};
pub use hook::run_hook;
pub use interrupt::{Interrupt, Urgency};
pub use outcome::{Event, Fate, Kind, Outcomes, StepError};
