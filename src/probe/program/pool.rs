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
/// Where something waits for this long, and nothing is answered meanwhile, the threads wait themselves: more are needed. Where answers
/// come, the processor is what all wait for, and more threads would only take of it.
const PATIENCE: Duration = Duration::from_millis(8);
/// So many wait at most.
const MOST_WAITING: usize = 16_384;
/// Enough for a dump's buffers, which are on the heap.
const STACK: usize = 128 * 1024;
/// An answer longer than this is a failure.
const LONGEST_ANSWER: usize = 4 * 1024 * 1024;
/// So much is sent at once while questions wait; what is less goes when none waits, or after [`PATIENCE`].
const PARCEL: usize = 16 * 1024;

struct Job {
    id: u32,
    since: Instant,
    question: Question,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Job>,
    threads: usize,
    /// So many answer or send.
    busy: usize,
    answered: usize,
    /// Answers that have not left yet.
    unsent: Vec<u8>,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    /// There is something to do.
    work: Condvar,
    /// Something waits.
    crowd: Condvar,
    /// All is done.
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

    /// Takes lines: `ID QUESTION`. What is none is answered with a failure; an empty line is nothing.
    pub fn take(&self, lines: &str) {
        let since = Instant::now();
        let refuse = |id, message| say(id, since, Answer::Failure(Failure { errno: None, message }));
        let mut jobs = Vec::new();
        for line in lines.split('\n').filter(|line| !line.is_empty()) {
            let (id, rest) = line.split_once(' ').unwrap_or((line, ""));
            let id = id.parse().unwrap_or_default();
            match rest.parse() {
                Ok(question) => jobs.push(Job { id, since, question }),
                Err(e) => refuse(id, e.to_string()),
            }
        }
        for (job, message) in self.put(jobs) {
            refuse(job.id, message);
        }
    }

    /// Lets jobs wait for a thread. Gives back those that cannot, and why.
    fn put(&self, jobs: Vec<Job>) -> Vec<(Job, String)> {
        let (mut refused, mut taken) = (Vec::new(), 0);
        let mut queue = self.queue();
        for job in jobs {
            if queue.waiting.len() >= MOST_WAITING {
                refused.push((job, format!("more than {MOST_WAITING} questions wait")));
                continue;
            }
            if queue.threads < FEW_THREADS && queue.threads <= queue.busy + queue.waiting.len() {
                match self.start() {
                    Ok(()) => queue.threads += 1,
                    Err(e) if queue.threads == 0 => {
                        refused.push((job, format!("no thread could be started: {e}")));
                        continue;
                    }
                    // those that there are will come to it
                    Err(_) => {}
                }
            }
            queue.waiting.push_back(job);
            taken += 1;
        }
        let threads = queue.threads;
        // who is woken wants the queue
        drop(queue);
        (0..taken.min(threads)).for_each(|_| self.0.work.notify_one());
        self.0.crowd.notify_one();
        refused
    }

    /// Starts one more thread.
    fn start(&self) -> io::Result<()> {
        let pool = self.clone();
        thread::Builder::new().stack_size(STACK).spawn(move || pool.work()).map(drop)
    }

    /// Starts more threads while what waits does so in vain.
    fn supervise(&self) {
        loop {
            let mut queue = self.queue();
            while queue.waiting.is_empty() {
                if queue.unsent.is_empty() {
                    queue = self.0.crowd.wait(queue).unwrap_or_else(PoisonError::into_inner);
                } else {
                    queue = self.send_aside(queue);
                }
            }
            let answered = queue.answered;
            drop(queue);
            thread::sleep(PATIENCE);
            let mut queue = self.send_aside(self.queue());
            if queue.answered != answered {
                continue;
            }
            let room = MOST_THREADS.saturating_sub(queue.threads).min(queue.threads.max(1));
            for _ in 0..queue.waiting.len().min(room) {
                // with fewer threads it takes longer
                if self.start().is_ok() {
                    queue.threads += 1;
                }
            }
        }
    }

    fn work(&self) {
        let mut queue = self.queue();
        loop {
            if let Some(job) = queue.waiting.pop_front() {
                queue.busy += 1;
                drop(queue);
                let line = line(job.id, job.since, ask::answer(&job.question));
                queue = self.queue();
                queue.unsent.extend_from_slice(line.as_bytes());
                queue.answered += 1;
                if queue.waiting.is_empty() || queue.unsent.len() >= PARCEL {
                    queue = self.send(queue);
                }
                self.rest(&mut queue);
                continue;
            }
            queue = self.0.work.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Sends what is answered, while others go on.
    fn send<'a>(&'a self, mut queue: MutexGuard<'a, Queue>) -> MutexGuard<'a, Queue> {
        let parcel = std::mem::take(&mut queue.unsent);
        drop(queue);
        send(&parcel);
        self.queue()
    }

    /// Sends what those who answer have left, if anything.
    fn send_aside<'a>(&'a self, mut queue: MutexGuard<'a, Queue>) -> MutexGuard<'a, Queue> {
        if queue.unsent.is_empty() {
            return queue;
        }
        queue.busy += 1;
        queue = self.send(queue);
        self.rest(&mut queue);
        queue
    }

    /// One is no longer busy.
    fn rest(&self, queue: &mut Queue) {
        queue.busy -= 1;
        if queue.busy == 0 && queue.waiting.is_empty() {
            self.0.done.notify_all();
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

/// Sends an answer that no question waits for here.
pub fn say(id: u32, since: Instant, answer: Answer) {
    send(line(id, since, answer).as_bytes());
}

/// An answer as a line.
fn line(id: u32, since: Instant, answer: Answer) -> String {
    let micros = u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX);
    let mut line = Envelope { id, micros, answer }.to_json();
    if line.len() > LONGEST_ANSWER {
        let message = format!("the answer is longer than {LONGEST_ANSWER} bytes");
        line = Envelope { id, micros, answer: Answer::Failure(Failure { errno: None, message }) }.to_json();
    }
    line.push('\n');
    line
}

/// Writes whole lines. When nobody reads any more there is nothing left to do.
fn send(lines: &[u8]) {
    let mut out = io::stdout().lock();
    if out.write_all(lines).and_then(|()| out.flush()).is_err() {
        std::process::exit(5);
    }
}
