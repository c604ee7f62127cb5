//! Questions wait here for a thread, answers leave from here: bounded both ways.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::answer::{Answer, Envelope, Failure};
use crate::ask;
use crate::json::Json;
use crate::question::Question;

/// So many questions are asked at once; the others wait.
const MOST_THREADS: usize = 128;
/// So many threads are enough while every question is answered at once.
const FEW_THREADS: usize = 4;
/// What waits for longer than this waits for threads that wait themselves: more are needed.
const PATIENCE: Duration = Duration::from_millis(1);
/// So many wait at most.
const MOST_WAITING: usize = 16_384;
/// Enough for a dump's buffers, which are on the heap.
const STACK: usize = 128 * 1024;
/// An answer longer than this is a failure.
const LONGEST_ANSWER: usize = 4 * 1024 * 1024;

struct Job {
    id: u32,
    since: Instant,
    question: Question,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Job>,
    threads: usize,
    busy: usize,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    /// There is something to do.
    work: Condvar,
    /// Something waits.
    crowd: Condvar,
    /// Something is done.
    done: Condvar,
}

/// The threads and what waits for them.
#[derive(Clone, Default)]
pub struct Pool(Arc<Shared>);

impl Pool {
    /// An empty one; threads come as they are needed.
    pub fn new() -> Self {
        let pool = Self::default();
        let supervised = pool.clone();
        // without it the few must do
        let _ = thread::Builder::new().stack_size(STACK).spawn(move || supervised.supervise());
        pool
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a line: `ID QUESTION`. What is none is answered with a failure; an empty line is nothing.
    pub fn take_line(&self, line: &str) {
        let since = Instant::now();
        if line.is_empty() {
            return;
        }
        let (id, rest) = line.split_once(' ').unwrap_or((line, ""));
        let id = id.parse().unwrap_or_default();
        let refused = match rest.parse() {
            Ok(question) => match self.put(Job { id, since, question }) {
                Ok(()) => return,
                Err(message) => message,
            },
            Err(e) => e.to_string(),
        };
        say(id, since, Answer::Failure(Failure { errno: None, message: refused }));
    }

    fn put(&self, job: Job) -> Result<(), String> {
        let mut queue = self.queue();
        if queue.waiting.len() >= MOST_WAITING {
            return Err(format!("more than {MOST_WAITING} questions wait"));
        }
        if queue.threads < FEW_THREADS && queue.threads <= queue.busy + queue.waiting.len() {
            self.start(&mut queue)?;
        }
        queue.waiting.push_back(job);
        self.0.work.notify_one();
        if queue.waiting.len() == 1 {
            self.0.crowd.notify_one();
        }
        Ok(())
    }

    /// Starts one more thread; an error where there is none at all.
    fn start(&self, queue: &mut Queue) -> Result<(), String> {
        let pool = self.clone();
        match thread::Builder::new().stack_size(STACK).spawn(move || pool.work()) {
            Ok(_) => queue.threads += 1,
            Err(e) if queue.threads == 0 => return Err(format!("no thread could be started: {e}")),
            // those that there are will come to it
            Err(_) => {}
        }
        Ok(())
    }

    /// Starts more threads while what waits does so in vain.
    fn supervise(&self) {
        loop {
            let mut queue = self.queue();
            while queue.waiting.is_empty() {
                queue = self.0.crowd.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
            drop(queue);
            thread::sleep(PATIENCE);
            let mut queue = self.queue();
            let late = queue.waiting.iter().filter(|job| job.since.elapsed() > PATIENCE).count();
            for _ in 0..late.min(MOST_THREADS.saturating_sub(queue.threads)) {
                // with fewer threads it takes longer
                let _ = self.start(&mut queue);
            }
        }
    }

    fn work(&self) {
        let mut queue = self.queue();
        loop {
            if let Some(job) = queue.waiting.pop_front() {
                queue.busy += 1;
                drop(queue);
                say(job.id, job.since, ask::answer(&job.question));
                queue = self.queue();
                queue.busy -= 1;
                self.0.done.notify_all();
                continue;
            }
            queue = self.0.work.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits until everything is answered.
    pub fn finish(&self) {
        let mut queue = self.queue();
        while !queue.waiting.is_empty() || queue.busy > 0 {
            queue = self.0.done.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Writes an answer as a line. When nobody reads any more there is nothing left to do.
pub fn say(id: u32, since: Instant, answer: Answer) {
    let micros = u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX);
    let mut line = Envelope { id, micros, answer }.to_json();
    if line.len() > LONGEST_ANSWER {
        let message = format!("the answer is longer than {LONGEST_ANSWER} bytes");
        line = Envelope { id, micros, answer: Answer::Failure(Failure { errno: None, message }) }.to_json();
    }
    line.push('\n');
    let mut out = io::stdout().lock();
    if out.write_all(line.as_bytes()).and_then(|()| out.flush()).is_err() {
        std::process::exit(5);
    }
}
