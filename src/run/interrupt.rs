//! How a run is told to stop.

use tokio::sync::watch;

/// How urgently it is asked to stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// It is not.
    #[default]
    None,
    /// Start nothing new; let what is under way end.
    Soon,
    /// Leave everything as it is.
    Now,
}

/// A run's ear: cheap to clone, asked as often as one likes.
#[derive(Clone, Debug)]
pub struct Interrupt(watch::Receiver<Urgency>);

impl Interrupt {
    /// An ear, and the voice it hears.
    pub fn new() -> (watch::Sender<Urgency>, Self) {
        let (voice, ear) = watch::channel(Urgency::None);
        (voice, Self(ear))
    }

    /// What was asked last.
    pub fn urgency(&self) -> Urgency {
        *self.0.borrow()
    }

    /// Waits until at least `urgency` is asked; for ever where nobody can ask any more.
    pub async fn asked(&mut self, urgency: Urgency) {
        if self.0.wait_for(|&asked| asked >= urgency).await.is_err() {
            std::future::pending().await
        }
    }
}
