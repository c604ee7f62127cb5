//! Variables by name, with the place of those that a file gave.

use indexmap::IndexMap;

use crate::source::Span;

/// Variables; the first to set one wins, so they are added in the order of precedence.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Environment {
    variables: IndexMap<String, Variable>,
}

/// A variable's value and where it was set.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// The value.
    pub value: String,
    /// Its line in an environment file; none for the process's own environment.
    pub origin: Option<Span>,
}

impl Environment {
    /// No variables.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(|v| v.value.as_str())
    }

    /// A variable with its origin.
    pub fn variable(&self, name: &str) -> Option<&Variable> {
        self.variables.get(name)
    }

    /// Sets a variable that has no value yet.
    pub fn add(&mut self, name: impl Into<String>, value: impl Into<String>, origin: Option<Span>) {
        self.variables.entry(name.into()).or_insert_with(|| Variable { value: value.into(), origin });
    }

    /// Sets a variable whether it has a value or not.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>, origin: Option<Span>) {
        self.variables.insert(name.into(), Variable { value: value.into(), origin });
    }

    /// Adds those of `other` that are not set here.
    pub fn add_all(&mut self, other: &Environment) {
        for (name, variable) in &other.variables {
            self.variables.entry(name.clone()).or_insert_with(|| variable.clone());
        }
    }

    /// Names and variables in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Variable)> {
        self.variables.iter().map(|(name, variable)| (name.as_str(), variable))
    }

    /// Whether `COMPOSE_…=1`, `true` and their like switches something on; none where it is not set or no boolean.
    ///
    /// The words are those of Go's `strconv.ParseBool`.
    pub fn flag(&self, name: &str) -> Option<bool> {
        match self.get(name)? {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
            _ => None,
        }
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut environment = Self::new();
        pairs.into_iter().for_each(|(name, value)| environment.add(name, value, None));
        environment
    }
}
