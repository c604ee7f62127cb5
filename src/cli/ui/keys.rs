//! The keys of the person, as they come.

use bowline::ui::Key;
use crossterm::event::{Event, EventStream, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use futures_util::StreamExt;

use super::Failure;

/// What is typed, and that the size changed.
pub struct Keys(EventStream);

impl Keys {
    /// Begins to listen.
    pub fn new() -> Self {
        Self(EventStream::new())
    }

    /// The next key; none for what only asks to be drawn anew: another size, a key without a meaning.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub async fn next(&mut self) -> Result<Option<Key>, Failure> {
        match self.0.next().await {
            Some(Ok(Event::Key(key))) if key.kind != KeyEventKind::Release => Ok(meant(key)),
            Some(Ok(_)) => Ok(None),
            Some(Err(gone)) => Err(gone.into()),
            None => Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into()),
        }
    }
}

fn meant(KeyEvent { code, modifiers, .. }: KeyEvent) -> Option<Key> {
    if modifiers.contains(KeyModifiers::CONTROL) {
        return match code {
            KeyCode::Char('c') => Some(Key::Interrupt),
            KeyCode::Char('z') => Some(Key::Suspend),
            KeyCode::Char('l') => Some(Key::Redraw),
            _ => None,
        };
    }
    Some(match code {
        KeyCode::Char(c) => Key::Char(c),
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Escape,
        KeyCode::Tab => Key::Tab,
        KeyCode::BackTab => Key::BackTab,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        _ => return None,
    })
}
