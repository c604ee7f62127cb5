//! Commands of docker compose that bowline does not have, refused by name; and words that are no command at all.

use super::commands;
use super::exit::{Exit, Failure};

/// What bowline does not do, why, and what does it.
const REFUSED: [(&str, &str, &str); 4] = [
    (
        "publish",
        "it makes an artifact of a stack file at a registry",
        "`bowline config` prints the whole stack file; `docker compose publish` gives it to a registry",
    ),
    ("bridge", "it turns a stack into Kubernetes manifests", "`bowline config` prints what a converter reads"),
    ("models", "AI models are run by Docker's own model runner", "`docker model` runs them"),
    ("alpha", "its commands are experiments", "`alpha viz` is `bowline graph`, `alpha dry-run` is `--dry-run`"),
];

/// Says what a word that is no command of ours is.
///
/// # Errors
/// Always: [`Exit::Usage`].
pub fn run(word: &str) -> Result<Exit, Failure> {
    if let Some((_, what, instead)) = REFUSED.iter().find(|(name, ..)| *name == word) {
        let message = format!("bowline has no `{word}`: {what}, and bowline only brings stacks up and proves them");
        return Err(Failure::new(Exit::Usage, message).hint(*instead));
    }
    let failure = Failure::new(Exit::Usage, format!("bowline has no command `{word}`"));
    let near = bowline::finding::nearest(word, commands::names());
    Err(match near {
        Some(near) => failure.hint(format!("did you mean `{near}`?")),
        None => failure.hint("`bowline --help` lists the commands"),
    })
}
