//! No text panics, hangs or takes much memory, and what is written reads back.
//!
//! Each target is a function of a text that asserts what must hold of every text. Plainly run, it is given the seeds of its file
//! and some hundred texts made from them, the same ones each time. `scripts/fuzz` builds this file with `--cfg fuzzing` and
//! lets libFuzzer look for texts that no one thought of; what it finds becomes a seed, and a test beside the code that it broke.

mod bombs;
mod bound;
#[cfg(fuzzing)]
mod engine;
#[cfg(not(fuzzing))]
mod mutate;
mod stack;
mod values;

use bound::within;

/// What is fuzzed.
struct Target {
    name: &'static str,
    /// Texts to start from, parted by lines of `%%%%`.
    seeds: &'static str,
    /// What must hold of a text.
    check: fn(&str),
    /// How many texts a plain run makes from the seeds.
    #[cfg(not(fuzzing))]
    made: usize,
}

macro_rules! targets {
    ($($name:ident: $check:expr, $made:expr;)*) => {
        const TARGETS: &[Target] = &[$(Target {
            name: stringify!($name),
            seeds: include_str!(concat!("seeds/", stringify!($name), ".txt")),
            check: $check,
            #[cfg(not(fuzzing))]
            made: $made,
        }),*];

        #[cfg(not(fuzzing))]
        mod run {
            $(#[test]
            fn $name() {
                super::replay(stringify!($name));
            })*
        }
    };
}

targets! {
    yaml: stack::yaml, 700;
    template: values::template, 1000;
    dotenv: values::dotenv, 700;
    port: values::port, 2000;
    volume: values::volume, 2000;
    duration: values::duration, 2000;
    bytes: values::bytes, 2000;
    words: values::words, 2000;
    load: stack::load, 200;
    project: stack::project, 60;
}

impl Target {
    fn named(name: &str) -> &'static Target {
        let names: Vec<&str> = TARGETS.iter().map(|t| t.name).collect();
        TARGETS.iter().find(|t| t.name == name).unwrap_or_else(|| panic!("the targets are {names:?}"))
    }

    fn seeds(&self) -> Vec<&'static str> {
        self.seeds.split("\n%%%%\n").collect()
    }

    /// Words that texts of this kind are made of.
    fn words(&self) -> Vec<String> {
        match self.name {
            "yaml" | "load" | "project" => stack::words(),
            _ => values::WORDS.iter().map(|w| (*w).to_owned()).collect(),
        }
    }
}

/// Checks the seeds, and texts made from them.
#[cfg(not(fuzzing))]
fn replay(name: &str) {
    let target = Target::named(name);
    let (seeds, words) = (target.seeds(), target.words());
    for seed in &seeds {
        within(target.name, seed, target.check);
    }
    for n in 0..target.made {
        within(target.name, &mutate::made(n as u64, &seeds, &words), target.check);
    }
}
