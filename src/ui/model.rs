//! What the live view knows, and how that changes by what happens.

use std::collections::VecDeque;

use super::seen::{Seen, short};
use super::text::plain;
use crate::report::verification::Report;

/// How many lines of output are kept.
const LINES: usize = 5000;
/// How many lines of an action's words are kept.
const WORDS: usize = 200;

/// Something happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A key was pressed.
    Key(Key),
    /// The Engine was looked at.
    Looked(Seen),
    /// A container wrote a line, or ended.
    Wrote(Line),
    /// The stack is being proved.
    Proving,
    /// What that came to, and when: `12:03:11`.
    Proved(Box<Report>, String),
    /// It could not be proved, and why.
    NotProved(String),
    /// An action began: `restart web`.
    Began(String),
    /// It said something.
    Said(String),
    /// It ended: its exit code, none where a signal ended it.
    Ended(Option<i32>),
    /// The Engine does not answer.
    Lost(String),
    /// It answers again.
    Back,
}

/// A key, whatever the terminal sends for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// A letter, a digit, a sign.
    Char(char),
    /// Return.
    Enter,
    /// Escape.
    Escape,
    /// To the next pane.
    Tab,
    /// To the pane before.
    BackTab,
    /// A line up.
    Up,
    /// A line down.
    Down,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// To the beginning.
    Home,
    /// To the end.
    End,
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-Z.
    Suspend,
    /// Ctrl-L.
    Redraw,
}

/// What the loop is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Leave.
    Quit,
    /// Prove the stack.
    Verify,
    /// Look at the Engine again and draw everything anew.
    Look,
    /// Give the terminal back to the shell until it says to go on.
    Suspend,
    /// Carry an action out, for one service or for all.
    Act(Action, Option<String>),
    /// Interrupt the action that is under way.
    Interrupt,
}

/// What can be done to services from here; each is the command of that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// `up -d`.
    Up,
    /// `start`.
    Start,
    /// `stop`.
    Stop,
    /// `restart`.
    Restart,
}

impl Action {
    /// The command's name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
        }
    }
}

/// A part of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pane {
    /// The services; the chosen one is what the keys act on.
    Services,
    /// The networks with their addresses.
    Networks,
    /// The verdicts.
    Verdicts,
    /// The output.
    Logs,
}

impl Pane {
    /// All, in the order of Tab.
    pub const ALL: [Self; 4] = [Self::Services, Self::Networks, Self::Verdicts, Self::Logs];

    /// Its title, and where the tabs name it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Services => "services",
            Self::Networks => "networks",
            Self::Verdicts => "verdicts",
            Self::Logs => "logs",
        }
    }

    fn step(self, by: usize) -> Self {
        Self::ALL[(self as usize + by) % Self::ALL.len()]
    }
}

/// A line of output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The service.
    pub service: String,
    /// The container's name.
    pub name: String,
    /// What it wrote.
    pub text: String,
    /// Whether it is bowline that says this of the container: that it ended.
    pub is_remark: bool,
}

/// What is known of the verdicts.
#[derive(Clone, Debug, Default)]
pub struct Verdicts {
    /// The last report and its time.
    pub last: Option<(Box<Report>, String)>,
    /// Whether the stack is being proved.
    pub under_way: bool,
    /// Why the last try gave none.
    pub failed: Option<String>,
    /// Whether something happened to the stack since the last report.
    pub stale: bool,
    /// Whether what is proved is shown, too.
    pub all: bool,
}

/// An action that is under way.
#[derive(Clone, Debug, Default)]
pub struct Work {
    /// `restart web`.
    pub what: String,
    /// What it said.
    pub words: VecDeque<String>,
    /// Whether it was told to end.
    pub interrupted: bool,
}

/// What lies over the panes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Overlay {
    /// Nothing.
    #[default]
    None,
    /// The keys.
    Help,
    /// A question: yes does it.
    Ask(Action, Option<String>),
    /// What an action that failed said.
    Failed(String, Vec<String>),
}

/// The head of the screen: what is looked at.
#[derive(Clone, Debug, Default)]
pub struct Head {
    /// The project.
    pub project: String,
    /// `28.5.2`.
    pub engine: String,
    /// `from compose.yaml`.
    pub from: String,
}

/// How many lines a pane has, and how many of them there is room for: what scrolling goes by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Lines.
    pub lines: usize,
    /// Room.
    pub room: usize,
}

/// Everything that is shown.
#[derive(Clone, Debug)]
pub struct Model {
    /// What is looked at.
    pub head: Head,
    /// The last look; none before the first.
    pub seen: Option<Seen>,
    /// The verdicts.
    pub verdicts: Verdicts,
    /// The output.
    pub lines: VecDeque<Line>,
    /// The action under way.
    pub work: Option<Work>,
    /// What the last action came to.
    pub note: Option<String>,
    /// Why the Engine is not there.
    pub lost: Option<String>,
    /// Where the keys go.
    pub focus: Pane,
    /// The pane that is shown below the services where there is room for one alone.
    pub shown: Pane,
    /// The chosen service; none: all of them.
    pub chosen: Option<String>,
    /// What lies over the panes.
    pub overlay: Overlay,
    /// Lines above the top of each pane; for the output, lines below its bottom.
    pub scroll: [usize; 4],
    extents: [Extent; 4],
}

impl Model {
    /// Before the first look.
    pub fn new(head: Head) -> Self {
        Self {
            head,
            seen: None,
            verdicts: Verdicts::default(),
            lines: VecDeque::new(),
            work: None,
            note: None,
            lost: None,
            focus: Pane::Services,
            shown: Pane::Logs,
            chosen: None,
            overlay: Overlay::None,
            scroll: [0; 4],
            extents: [Extent::default(); 4],
        }
    }

    /// What was drawn last had these extents; where there is less than was scrolled over, it is scrolled back.
    pub fn drawn(&mut self, extents: [Extent; 4]) {
        self.extents = extents;
        for (scroll, Extent { lines, room }) in self.scroll.iter_mut().zip(extents) {
            *scroll = (*scroll).min(lines.saturating_sub(room));
        }
    }

    /// Takes an event in. What is asked of the loop then.
    pub fn update(&mut self, event: Event) -> Option<Wish> {
        match event {
            Event::Key(key) => return self.key(key),
            Event::Looked(seen) => self.looked(seen),
            Event::Wrote(line) => self.wrote(line),
            Event::Proving => (self.verdicts.under_way, self.verdicts.stale) = (true, false),
            Event::Proved(report, at) => {
                let Verdicts { stale, all, .. } = self.verdicts;
                self.verdicts = Verdicts { last: Some((report, at)), stale, all, ..Verdicts::default() };
            }
            Event::NotProved(why) => {
                self.verdicts.under_way = false;
                self.verdicts.failed = Some(why);
            }
            Event::Began(what) => {
                self.note = None;
                self.work = Some(Work { what, ..Work::default() });
            }
            Event::Said(words) => {
                if let Some(work) = &mut self.work {
                    make_room(&mut work.words, WORDS);
                    work.words.push_back(plain(&words));
                }
            }
            Event::Ended(code) => self.ended(code),
            Event::Lost(why) => self.lost = Some(why),
            Event::Back => self.lost = None,
        }
        None
    }

    /// The services in the order that they are shown in.
    fn services(&self) -> Vec<&str> {
        self.seen.iter().flat_map(|seen| &seen.services).map(|row| row.service.as_str()).collect()
    }

    fn looked(&mut self, seen: Seen) {
        self.verdicts.stale |= self.verdicts.last.is_some() && self.seen.as_ref().is_some_and(|before| *before != seen);
        self.seen = Some(seen);
        if self.chosen.as_ref().is_some_and(|chosen| !self.services().contains(&chosen.as_str())) {
            self.chosen = None;
        }
    }

    fn wrote(&mut self, line: Line) {
        make_room(&mut self.lines, LINES);
        let line = Line { name: short(&self.head.project, &line.name).to_owned(), text: plain(&line.text), ..line };
        // who reads further up goes on reading there
        let scroll = &mut self.scroll[Pane::Logs as usize];
        if *scroll > 0 && self.chosen.as_ref().is_none_or(|chosen| *chosen == line.service) {
            *scroll += 1;
        }
        self.lines.push_back(line);
    }

    fn ended(&mut self, code: Option<i32>) {
        let Some(Work { what, words, interrupted }) = self.work.take() else { return };
        let said = words.back().filter(|words| !words.is_empty());
        match code {
            Some(0) => {
                self.note = Some(match said.filter(|_| words.len() == 1) {
                    Some(said) => format!("{what}: {said}"),
                    None => format!("{what}: done"),
                });
            }
            _ if interrupted => self.note = Some(format!("{what}: interrupted")),
            _ => self.overlay = Overlay::Failed(format!("{what} failed"), words.into()),
        }
    }

    fn key(&mut self, key: Key) -> Option<Wish> {
        match (std::mem::take(&mut self.overlay), key) {
            (_, Key::Suspend) => return Some(Wish::Suspend),
            (_, Key::Redraw) => return Some(Wish::Look),
            (Overlay::Ask(action, service), Key::Char('y' | 'Y')) => return Some(Wish::Act(action, service)),
            (Overlay::None, _) => {}
            // any other key takes away what lies over the panes
            (_, Key::Interrupt | Key::Char('q')) if self.work.is_none() => return Some(Wish::Quit),
            _ => return None,
        }
        match key {
            Key::Interrupt if self.work.is_some() => {
                self.work.iter_mut().for_each(|work| work.interrupted = true);
                return Some(Wish::Interrupt);
            }
            Key::Interrupt | Key::Char('q') => return Some(Wish::Quit),
            Key::Char('?' | 'h') => self.overlay = Overlay::Help,
            Key::Char('v') if !self.verdicts.under_way => return Some(Wish::Verify),
            Key::Char('a') => self.verdicts.all = !self.verdicts.all,
            Key::Char('r') => return self.act(Action::Restart),
            Key::Char('s') => return self.act(Action::Stop),
            Key::Char('t') => return self.act(Action::Start),
            Key::Char('u') => return self.act(Action::Up),
            Key::Char(digit @ '1'..='4') => self.look_at(Pane::ALL[digit as usize - '1' as usize]),
            Key::Tab => self.look_at(self.focus.step(1)),
            Key::BackTab => self.look_at(self.focus.step(3)),
            Key::Escape => {
                self.choose(None);
                self.scroll = [0; 4];
            }
            Key::Enter => self.look_at(if self.focus == Pane::Services { Pane::Logs } else { Pane::Services }),
            _ => self.go(key),
        }
        None
    }

    /// Begins an action, or asks first whether it is meant: where it takes services away from their users.
    fn act(&mut self, action: Action) -> Option<Wish> {
        if let Some(work) = &self.work {
            self.note = Some(format!("{} is under way: Ctrl-C interrupts it", work.what));
            return None;
        }
        let service = self.chosen.clone();
        let asks = action == Action::Stop || action == Action::Restart && service.is_none();
        match asks {
            true => {
                self.overlay = Overlay::Ask(action, service);
                None
            }
            false => Some(Wish::Act(action, service)),
        }
    }

    fn look_at(&mut self, pane: Pane) {
        self.focus = pane;
        if pane != Pane::Services {
            self.shown = pane;
        }
    }

    /// Moves the choice of a service, or what is seen of a pane.
    fn go(&mut self, key: Key) {
        let page = self.extents[self.focus as usize].room.max(1);
        let (down, by) = match key {
            Key::Up | Key::Char('k') => (false, 1),
            Key::Down | Key::Char('j') => (true, 1),
            Key::PageUp => (false, page),
            Key::PageDown => (true, page),
            Key::Home | Key::Char('g') => (false, usize::MAX),
            Key::End | Key::Char('G') => (true, usize::MAX),
            _ => return,
        };
        if self.focus == Pane::Services {
            return self.step_choice(down, by);
        }
        let Extent { lines, room } = self.extents[self.focus as usize];
        let most = lines.saturating_sub(room);
        let scroll = &mut self.scroll[self.focus as usize];
        // the output is counted from its end
        let more = down != (self.focus == Pane::Logs);
        *scroll = if more { scroll.saturating_add(by).min(most) } else { scroll.saturating_sub(by) };
    }

    /// The row "all" stands before the services.
    fn step_choice(&mut self, down: bool, by: usize) {
        let services: Vec<String> = self.services().into_iter().map(str::to_owned).collect();
        let at = |chosen: &String| services.iter().position(|name| name == chosen).map_or(0, |at| at + 1);
        let at = self.chosen.as_ref().map_or(0, at);
        let to = if down { at.saturating_add(by).min(services.len()) } else { at.saturating_sub(by) };
        self.choose(to.checked_sub(1).and_then(|to| services.get(to).cloned()));
    }

    fn choose(&mut self, service: Option<String>) {
        if self.chosen != service {
            self.chosen = service;
            self.scroll[Pane::Logs as usize] = 0;
            self.scroll[Pane::Verdicts as usize] = 0;
        }
    }
}

/// Forgets the oldest, so that with one more there are at most so many.
fn make_room<T>(queue: &mut VecDeque<T>, most: usize) {
    while queue.len() >= most {
        queue.pop_front();
    }
}
