//! `bowline explain`.

use bowline::finding::{Code, nearest};
use bowline::report::codes;
use clap::Args;

use super::exit::{Exit, Failure};
use super::output;

/// Tell what the code of an error, a warning or a note means, and the way out
///
/// The code is what stands in brackets: `error[port-taken]`. Without one, all of them are listed. docs/codes.md has the same text.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The code.
    #[arg(value_name = "CODE")]
    code: Option<String>,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let Some(asked) = &arguments.code else {
        output::answer(codes::list().trim_end())?;
        return Ok(Exit::Ok);
    };
    let word =
        asked.split_once('[').map_or(asked.as_str(), |(_, word)| word).trim_end_matches([']', ':']).to_lowercase();
    let Some(code) = Code::ALL.iter().find(|code| code.text() == word) else {
        let failure = Failure::new(Exit::Usage, format!("there is no code `{asked}`"));
        return Err(match nearest(&word, Code::ALL.iter().map(|code| code.text())) {
            Some(near) => failure.hint(format!("did you mean `{near}`?")),
            None => failure.hint("`bowline explain` lists them all"),
        });
    };
    output::answer(&format!("{code}\n\n{}", codes::page(*code)))?;
    Ok(Exit::Ok)
}
