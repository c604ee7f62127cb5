//! What most services say nothing of takes no room in those that do not.

use std::ops::Deref;
use std::sync::LazyLock;

use super::{Namespaces, Resources};

/// A part of a service that few say anything of, to be read as the part itself.
#[derive(Clone, Debug)]
pub struct Rare<T>(Option<Box<T>>);

/// What it is where nothing is said.
pub trait Unsaid: Default + PartialEq + 'static {
    /// The default, made once.
    fn unsaid() -> &'static Self;
}

impl<T: Unsaid> From<T> for Rare<T> {
    fn from(said: T) -> Self {
        Self((said != *T::unsaid()).then(|| Box::new(said)))
    }
}

impl<T: Unsaid> Deref for Rare<T> {
    type Target = T;
    fn deref(&self) -> &T {
        match &self.0 {
            Some(said) => said,
            None => T::unsaid(),
        }
    }
}

impl Unsaid for Resources {
    fn unsaid() -> &'static Self {
        static UNSAID: LazyLock<Resources> = LazyLock::new(Resources::default);
        &UNSAID
    }
}

impl Unsaid for Namespaces {
    fn unsaid() -> &'static Self {
        static UNSAID: LazyLock<Namespaces> = LazyLock::new(Namespaces::default);
        &UNSAID
    }
}
