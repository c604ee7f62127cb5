//! The lines of a conversation with one program: who asked what, what has come, and how much may come. No I/O.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Answer, Envelope, Namespace, ProbeError, Question};

/// A line longer than this is not of our program.
const LONGEST_LINE: usize = 8 * 1024 * 1024;
/// So many are asked at once in the program.
const AT_ONCE: u32 = 128;
/// What a question may take beyond its own time: the machine may be busy.
const SLACK: Duration = Duration::from_secs(20);

/// A conversation.
#[derive(Debug, Default)]
pub struct Conversation {
    next: u32,
    waiting: BTreeMap<u32, usize>,
    partial: Vec<u8>,
    namespace: Option<Namespace>,
}

impl Conversation {
    /// A new one, before the greeting.
    pub fn new() -> Self {
        Self::default()
    }

    /// Which namespace it is, once the greeting came.
    pub fn namespace(&self) -> Option<&Namespace> {
        self.namespace.as_ref()
    }

    /// Whether every question is answered.
    pub fn is_complete(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The lines that put these questions. Their answers come back with their places in `questions`.
    pub fn ask(&mut self, questions: &[Question]) -> String {
        let mut lines = String::new();
        for (place, question) in questions.iter().enumerate() {
            self.next += 1;
            self.waiting.insert(self.next, place);
            lines.push_str(&format!("{} {question}\n", self.next));
        }
        lines
    }

    /// Takes what came, and gives the answers in it by the places of their questions.
    ///
    /// # Errors
    /// [`ProbeError::NotStarted`] with the program's words when it could not enter the namespace; [`ProbeError::BrokeOff`] for a line
    /// that is no answer to a question of ours.
    pub fn take(&mut self, bytes: &[u8]) -> Result<Vec<(usize, Answer)>, ProbeError> {
        let mut answers = Vec::new();
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|&b| b == b'\n') {
            self.partial.extend_from_slice(&rest[..end]);
            rest = &rest[end + 1..];
            let line = std::mem::take(&mut self.partial);
            answers.extend(self.take_line(&line)?);
        }
        self.partial.extend_from_slice(rest);
        if self.partial.len() > LONGEST_LINE {
            return Err(ProbeError::BrokeOff(format!("a line of more than {LONGEST_LINE} bytes")));
        }
        Ok(answers)
    }

    fn take_line(&mut self, line: &[u8]) -> Result<Option<(usize, Answer)>, ProbeError> {
        let envelope: Envelope =
            serde_json::from_slice(line).map_err(|e| ProbeError::BrokeOff(format!("an answer that is none: {e}")))?;
        match (envelope.id, envelope.answer) {
            (0, Answer::Namespace(namespace)) if self.namespace.is_none() => {
                self.namespace = Some(namespace);
                Ok(None)
            }
            (0, Answer::Failure(failure)) => Err(ProbeError::NotStarted(failure.message)),
            (id, answer) => match self.waiting.remove(&id) {
                Some(place) => Ok(Some((place, answer))),
                None => Err(ProbeError::BrokeOff(format!("an answer to question {id}, which waits for none"))),
            },
        }
    }
}

/// How long the program may take for these questions.
pub fn longest(questions: &[Question]) -> Duration {
    let one = questions.iter().map(Question::longest).max().unwrap_or_default();
    let rounds = u32::try_from(questions.len()).unwrap_or(u32::MAX).div_ceil(AT_ONCE);
    one.saturating_mul(rounds) + SLACK
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::{Failure, Json};

    fn line(id: u32, answer: Answer) -> Vec<u8> {
        let mut line = Envelope { id, micros: 1, answer }.to_json();
        line.push('\n');
        line.into_bytes()
    }

    fn failure(message: &str) -> Answer {
        Answer::Failure(Failure { errno: None, message: message.to_owned() })
    }

    #[test]
    fn answers_come_in_any_order_and_in_any_pieces() {
        let mut conversation = Conversation::new();
        let greeting = Answer::Namespace(Namespace { inode: 7, hostname: None });
        assert_eq!(conversation.take(&line(0, greeting)), Ok(vec![]));
        assert_eq!(conversation.namespace().map(|n| n.inode), Some(7));
        assert_eq!(conversation.ask(&[Question::Links {}, Question::Hosts {}]), "1 links\n2 hosts\n");
        let bytes = [line(2, failure("b")), line(1, failure("a"))].concat();
        let (first, second) = bytes.split_at(9);
        assert_eq!(conversation.take(first), Ok(vec![]));
        assert_eq!(conversation.take(second), Ok(vec![(1, failure("b")), (0, failure("a"))]));
        assert!(conversation.is_complete());
    }

    #[test]
    fn an_answer_that_nobody_asked_for_ends_the_conversation() {
        let mut conversation = Conversation::new();
        assert!(matches!(conversation.take(&line(3, failure("x"))), Err(ProbeError::BrokeOff(_))));
        assert!(matches!(conversation.take(b"hello\n"), Err(ProbeError::BrokeOff(_))));
    }

    #[test]
    fn a_program_that_cannot_enter_says_why() {
        let mut conversation = Conversation::new();
        let refused = conversation.take(&line(0, failure("cannot enter /proc/1/ns/net: EPERM")));
        assert_eq!(refused, Err(ProbeError::NotStarted("cannot enter /proc/1/ns/net: EPERM".to_owned())));
    }
}
