//! Asks questions inside network namespaces: chooses the way into each, opens all of them side by side, and drives the
//! conversations.
//!
//! A run has as many rounds as its caller likes. First all vantages are opened; then each round puts questions to some of them and
//! ends when every one is answered. So the two sides of a check meet without a protocol of their own: one round of `Listen`, which is
//! answered once the listener stands, and in the next round the others ask.
//!
//! ```text
//! open ──▶ ask [Listen, Links, …] ──▶ ask [Connect to the ports that listen, …] ──▶ … ──▶ close
//! ```
//!
//! Two ways lead into a namespace (see [`Way`]). Whichever it is, the same program answers, and nothing of it stays: a sidecar and a
//! child end when their input ends, which the kernel sees to even when bowline is killed.

mod daemon;
pub mod host;
mod neighbours;
mod session;
pub mod shim;
mod sidecar;
mod target;
pub mod vlan;

use std::collections::BTreeMap;
use std::time::Instant;

use futures_util::{StreamExt, stream};
use ipnet::IpNet;

use crate::engine::{Address, Engine};
use crate::probe::{Answer, ProbeError, Question, Scope};
use neighbours::{Group, Table};
use session::Session;
pub use target::{Target, Vantage};

/// How the namespaces are entered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Way {
    /// Directly where that is possible, else by a sidecar.
    #[default]
    Auto,
    /// By a container of its own in the namespace: works with every Engine.
    Sidecar,
    /// By a child of bowline that enters the namespace: needs root on the Engine's host.
    Direct,
}

impl std::fmt::Display for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Auto => "auto",
            Self::Sidecar => "sidecar",
            Self::Direct => "direct",
        })
    }
}

/// How a run is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// How the namespaces are entered.
    pub way: Way,
    /// Whether `Question::Solicit` will be asked: only then a sidecar may make packets of its own.
    pub layer2: bool,
    /// Whether `Question::Kind` will be asked: only then a sidecar has `CAP_NET_ADMIN`.
    pub kinds: bool,
    /// Whether links of the host's will be made or removed: only then a sidecar has `CAP_NET_ADMIN`.
    pub links: bool,
    /// Whether `Question::Processes` will be asked of the host: only then a sidecar sees the host's processes.
    pub processes: bool,
    /// Whether a listener may stand in the host's namespace, open to everyone. On its loopback it always may.
    pub host_listeners: bool,
    /// Where the /30 beside the host is taken from.
    pub outside_pool: String,
    /// So many sidecars are started at once.
    pub at_once: usize,
}

impl Default for Options {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Self {
            way: Way::Auto,
            layer2: false,
            kinds: false,
            links: false,
            processes: false,
            host_listeners: false,
            // TEST-NET-2 (RFC 5737): nobody's
            outside_pool: "198.51.100.0/24".to_owned(),
            at_once: (cores * 2).max(4),
        }
    }
}

/// Answers in the order of their questions, or why the namespace could not be asked.
pub type Answers = Result<Vec<Answer>, ProbeError>;

/// The conversations of a run.
pub struct Vantages {
    engine: Engine,
    options: Options,
    sessions: Vec<(Vantage, Result<Session, ProbeError>)>,
    table: Table,
    /// The addresses of each, once there is reason to know them.
    addresses: Option<Vec<Vec<IpNet>>>,
}

impl Vantages {
    /// Opens a way into each. What cannot be opened answers its questions with the reason.
    pub async fn open(engine: &Engine, vantages: Vec<Vantage>, options: Options) -> Self {
        let room = matches!(engine.address(), Address::Unix(_)).then(neighbours::room_here).flatten();
        let table = Table::new(room);
        let image = sidecar::Image::new(engine, table.is_small_for(vantages.len()));
        let open = |vantage: Vantage| {
            let (image, options) = (&image, &options);
            async move {
                let session = open_one(image, &vantage, options).await;
                (vantage, session)
            }
        };
        let sessions = stream::iter(vantages).map(open).buffered(options.at_once.max(1)).collect().await;
        Self { engine: engine.clone(), options, sessions, table, addresses: None }
    }

    /// The vantages, in the order in which they were given, and the way that was taken to each.
    pub fn ways(&self) -> impl Iterator<Item = (&Vantage, Result<Way, &ProbeError>)> {
        self.sessions.iter().map(|(vantage, session)| (vantage, session.as_ref().map(Session::way)))
    }

    /// Puts questions to vantages by their places, all at once, and waits for every answer. So many that they would fill the
    /// kernel's neighbour table go in waves.
    pub async fn ask(&mut self, questions: &[(usize, Vec<Question>)]) -> Vec<Answers> {
        let pairs = neighbours::pairs(questions);
        if self.table.has_room_for(pairs.len()) {
            self.table.note(pairs);
            return self.ask_at_once(questions).await;
        }
        let addresses = match self.addresses.take() {
            Some(addresses) => addresses,
            None => self.learn_addresses().await,
        };
        let mut groups = neighbours::groups(questions, &addresses);
        self.addresses = Some(addresses);
        let mut answers: Vec<Result<Vec<Option<Answer>>, ProbeError>> =
            questions.iter().map(|(_, asked)| Ok(vec![None; asked.len()])).collect();
        loop {
            let wave = self.table.take(&mut groups, Instant::now());
            self.ask_wave(&wave, questions, &mut answers).await;
            // an entry is as old as its last packet
            self.table.note(wave.iter().flat_map(|group| group.entries.clone()));
            if groups.is_empty() {
                break;
            }
            if !self.take_back().await {
                for (at, _) in groups.drain(..).flat_map(|group| group.items) {
                    answers[at] = Err(ProbeError::NotAsked(neighbours::FULL.to_owned()));
                }
                break;
            }
        }
        let whole = |found: Vec<Option<Answer>>| found.into_iter().collect::<Option<Vec<Answer>>>();
        let lost = || ProbeError::BrokeOff("an answer is missing".to_owned());
        answers.into_iter().map(|found| found.and_then(|found| whole(found).ok_or_else(lost))).collect()
    }

    /// Asks the questions of one wave, and puts the answers to their places.
    async fn ask_wave(
        &mut self,
        wave: &[Group],
        questions: &[(usize, Vec<Question>)],
        answers: &mut [Result<Vec<Option<Answer>>, ProbeError>],
    ) {
        let mut items: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (at, number) in wave.iter().flat_map(|group| &group.items) {
            items.entry(*at).or_default().push(*number);
        }
        let part = |(at, numbers): (&usize, &Vec<usize>)| {
            let (place, asked) = &questions[*at];
            (*place, numbers.iter().map(|number| asked[*number].clone()).collect())
        };
        let parts: Vec<(usize, Vec<Question>)> = items.iter().map(part).collect();
        for ((at, numbers), found) in items.into_iter().zip(self.ask_at_once(&parts).await) {
            match (found, &mut answers[at]) {
                (Ok(found), Ok(slots)) => {
                    numbers.into_iter().zip(found).for_each(|(number, answer)| slots[number] = Some(answer));
                }
                (Err(why), slots) => *slots = Err(why),
                (Ok(_), Err(_)) => {}
            }
        }
    }

    /// The addresses of every vantage that answers.
    async fn learn_addresses(&mut self) -> Vec<Vec<IpNet>> {
        let every: Vec<_> = (0..self.sessions.len()).map(|place| (place, vec![Question::Addresses {}])).collect();
        let read = |answer: Answer| match answer {
            Answer::Addresses(found) => found.iter().filter_map(|a| IpNet::new(a.address, a.prefix).ok()).collect(),
            _ => Vec::new(),
        };
        let answers = self.ask_at_once(&every).await.into_iter();
        answers.map(|found| found.unwrap_or_default().into_iter().flat_map(read).collect()).collect()
    }

    /// Makes room in the neighbour table: takes our entries back. False where that is not permitted.
    async fn take_back(&mut self) -> bool {
        let mine = (0..self.sessions.len()).map(|place| (place, self.table.of(place)));
        let filled = mine.filter(|(_, addresses)| !addresses.is_empty());
        let questions: Vec<_> =
            filled.map(|(place, addresses)| (place, vec![Question::Forget { addresses }])).collect();
        let answers = self.ask_at_once(&questions).await;
        let gone = |found: &Answers| matches!(found.as_deref(), Ok([Answer::Forgotten(_)]));
        let permitted = answers.iter().all(gone);
        if permitted {
            self.table.forget();
        }
        permitted
    }

    /// Puts questions to vantages by their places. One that is named twice is asked for both, one after the other.
    async fn ask_at_once(&mut self, questions: &[(usize, Vec<Question>)]) -> Vec<Answers> {
        let mut answers: Vec<Option<Answers>> = questions.iter().map(|_| None).collect();
        let options = &self.options;
        let each = self.sessions.iter_mut().enumerate().map(|(place, (vantage, session))| async move {
            let mut found = Vec::new();
            for (at, (_, asked)) in questions.iter().enumerate().filter(|(_, (to, _))| *to == place) {
                found.push((at, ask_one(vantage, session, asked, options).await));
            }
            found
        });
        for (at, answer) in futures_util::future::join_all(each).await.into_iter().flatten() {
            answers[at] = Some(answer);
        }
        let nobody = || Err(ProbeError::NotAsked("there is no such vantage".to_owned()));
        answers.into_iter().map(|answer| answer.unwrap_or_else(nobody)).collect()
    }

    /// Ends every conversation and waits until nothing is left of them.
    ///
    /// # Errors
    /// One sentence for each that would not go.
    pub async fn close(self) -> Result<(), Vec<String>> {
        let engine = &self.engine;
        let at_once = self.options.at_once.max(1);
        let sessions = self.sessions.into_iter().filter_map(|(_, session)| session.ok());
        let (children, sidecars): (Vec<_>, Vec<_>) = sessions.partition(|session| session.way() == Way::Direct);
        let children = futures_util::future::join_all(children.into_iter().map(|session| session.close(engine)));
        let sidecars = stream::iter(sidecars).map(|session| session.close(engine)).buffer_unordered(at_once).collect();
        let (mut ended, removed): (Vec<_>, Vec<_>) = futures_util::future::join(children, sidecars).await;
        ended.extend(removed);
        let troubles: Vec<String> = ended.into_iter().filter_map(Result::err).collect();
        if troubles.is_empty() { Ok(()) } else { Err(troubles) }
    }
}

async fn open_one(image: &sidecar::Image<'_>, vantage: &Vantage, options: &Options) -> Result<Session, ProbeError> {
    if options.way == Way::Sidecar {
        return image.run_beside(vantage, options).await;
    }
    let direct = match target::direct(image.engine(), vantage, &options.outside_pool) {
        Ok(command) => Session::direct(command).await,
        Err(why) => Err(why),
    };
    match direct {
        Ok(session) => Ok(session),
        Err(why) if options.way == Way::Direct => Err(why),
        Err(_) => image.run_beside(vantage, options).await,
    }
}

async fn ask_one(
    vantage: &Vantage,
    session: &mut Result<Session, ProbeError>,
    questions: &[Question],
    options: &Options,
) -> Answers {
    let open = |q: &Question| matches!(q, Question::Listen { scope: Scope::Any, .. });
    if vantage.is_host() && !options.host_listeners && questions.iter().any(open) {
        return Err(ProbeError::NotAsked(
            "a listener in the host's namespace, open to everyone, needs leave".to_owned(),
        ));
    }
    match session {
        Ok(session) => session.ask(questions).await,
        Err(why) => Err(why.clone()),
    }
}
