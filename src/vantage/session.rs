//! One conversation with one program, be it a child of ours or a sidecar.

use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};

use super::{Answers, Way};
use crate::engine::{Engine, Piece, Sidecar};
use crate::name::ContainerId;
use crate::probe::{Answer, Conversation, ProbeError, Question, longest};

/// How long the greeting may take: a sidecar has to be started on a busy machine.
const GREETING: Duration = Duration::from_secs(60);
/// How long a child may take to end once its input has ended.
const LEAVE: Duration = Duration::from_secs(5);
/// So much of what a program says on its standard error is kept.
const MOST_COMPLAINT: usize = 4096;

/// A program that runs, and the lines to and from it.
pub struct Session {
    program: Program,
    conversation: Conversation,
    /// What it said on its standard error.
    complaint: Vec<u8>,
    /// Why it can no longer be asked: an answer that comes late must not be taken for another question's.
    broken: Option<ProbeError>,
}

enum Program {
    Child(Box<Direct>),
    Sidecar(Sidecar),
}

/// A child with its pipes.
struct Direct {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
    error: ChildStderr,
}

impl Session {
    /// Starts a child and waits for its greeting.
    pub async fn direct(command: std::process::Command) -> Result<Self, ProbeError> {
        let not_started = |e: std::io::Error| ProbeError::NotStarted(e.to_string());
        let mut command = tokio::process::Command::from(command);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().map_err(not_started)?;
        let (Some(input), Some(output), Some(error)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(ProbeError::NotStarted("no pipes to it".to_owned()));
        };
        Self::greeted(Program::Child(Box::new(Direct { child, input, output, error }))).await
    }

    /// Takes over a sidecar and waits for its greeting.
    pub async fn sidecar(sidecar: Sidecar) -> Result<Self, (ProbeError, ContainerId)> {
        let id = sidecar.id.clone();
        Self::greeted(Program::Sidecar(sidecar)).await.map_err(|e| (e, id))
    }

    async fn greeted(program: Program) -> Result<Self, ProbeError> {
        let mut session = Self { program, conversation: Conversation::new(), complaint: Vec::new(), broken: None };
        let greeting = async {
            while session.conversation.namespace().is_none() {
                session.take().await?;
            }
            Ok(())
        };
        tokio::time::timeout(GREETING, greeting).await.map_err(|_| ProbeError::Silent(GREETING.as_secs()))??;
        Ok(session)
    }

    /// Which way it was opened.
    pub fn way(&self) -> Way {
        match self.program {
            Program::Child(_) => Way::Direct,
            Program::Sidecar(_) => Way::Sidecar,
        }
    }

    /// Asks, and waits for every answer.
    pub async fn ask(&mut self, questions: &[Question]) -> Answers {
        if let Some(why) = &self.broken {
            return Err(why.clone());
        }
        let limit = longest(questions);
        let asked = tokio::time::timeout(limit, self.ask_all(questions)).await;
        let answers = asked.unwrap_or(Err(ProbeError::Silent(limit.as_secs())));
        self.broken = answers.as_ref().err().cloned();
        answers
    }

    async fn ask_all(&mut self, questions: &[Question]) -> Answers {
        let lines = self.conversation.ask(questions);
        let written = match &mut self.program {
            Program::Child(direct) => write(&mut direct.input, &lines).await,
            Program::Sidecar(sidecar) => write(&mut sidecar.ends.input, &lines).await,
        };
        written.map_err(|e| ProbeError::BrokeOff(format!("it takes no question: {e}")))?;
        let mut answers: Vec<Option<Answer>> = questions.iter().map(|_| None).collect();
        while !self.conversation.is_complete() {
            for (place, answer) in self.take().await? {
                if let Some(slot) = answers.get_mut(place) {
                    *slot = Some(answer);
                }
            }
        }
        let whole: Option<Vec<Answer>> = answers.into_iter().collect();
        whole.ok_or_else(|| ProbeError::BrokeOff("an answer is missing".to_owned()))
    }

    /// Waits for the next piece of output and takes the answers in it.
    async fn take(&mut self) -> Result<Vec<(usize, Answer)>, ProbeError> {
        match self.program.next().await? {
            Some(Piece::Output(bytes)) => self.conversation.take(&bytes),
            Some(Piece::Error(bytes)) => {
                let room = MOST_COMPLAINT.saturating_sub(self.complaint.len()).min(bytes.len());
                self.complaint.extend_from_slice(&bytes[..room]);
                Ok(Vec::new())
            }
            None => {
                let said = String::from_utf8_lossy(&self.complaint);
                let said: String = said.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
                let said = said.trim();
                Err(ProbeError::BrokeOff(if said.is_empty() { "it ended".to_owned() } else { said.to_owned() }))
            }
        }
    }

    /// Ends it and waits until it is gone.
    pub async fn close(self, engine: &Engine) -> Result<(), String> {
        match self.program {
            Program::Child(direct) => {
                let Direct { mut child, input, output, error } = *direct;
                drop((input, output, error));
                if let Ok(Ok(_)) = tokio::time::timeout(LEAVE, child.wait()).await {
                    return Ok(());
                }
                // it may end by itself meanwhile, and is no process to be killed then
                drop(child.start_kill());
                match tokio::time::timeout(LEAVE, child.wait()).await {
                    Ok(ended) => ended.map(drop).map_err(|e| format!("a probe does not end: {e}")),
                    Err(_) => Err("a probe does not end".to_owned()),
                }
            }
            Program::Sidecar(sidecar) => remove(engine, &sidecar.id).await,
        }
    }
}

/// Removes a sidecar, running or not.
pub async fn remove(engine: &Engine, id: &ContainerId) -> Result<(), String> {
    let removed = engine.remove_container(id.as_str(), true, true).await;
    removed.map(drop).map_err(|e| format!("the sidecar {} stays: {e}", id.short()))
}

async fn write(input: &mut (impl AsyncWriteExt + Unpin), lines: &str) -> std::io::Result<()> {
    input.write_all(lines.as_bytes()).await?;
    input.flush().await
}

impl Program {
    /// The next piece of output; none when it has ended.
    async fn next(&mut self) -> Result<Option<Piece>, ProbeError> {
        let broke_off = |e: &dyn std::fmt::Display| ProbeError::BrokeOff(e.to_string());
        match self {
            Self::Sidecar(sidecar) => sidecar.ends.next().await.map_err(|e| broke_off(&e)),
            Self::Child(direct) => {
                let Direct { output, error, .. } = &mut **direct;
                let (mut said, mut complained) = ([0u8; 16 * 1024], [0u8; 1024]);
                let count = output.read(&mut said).await.map_err(|e| broke_off(&e))?;
                if count > 0 {
                    return Ok(Some(Piece::Output(Bytes::copy_from_slice(&said[..count]))));
                }
                let count = error.read(&mut complained).await.map_err(|e| broke_off(&e))?;
                Ok((count > 0).then(|| Piece::Error(Bytes::copy_from_slice(&complained[..count]))))
            }
        }
    }
}
