//! Texts made from seeds: the same number gives the same text.

/// Steele and Vigna's SplitMix64: enough to choose by.
struct Choice(u64);

impl Choice {
    /// A number below `limit`; 0 where that is 0.
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit.max(1) as u64) as usize
    }

    fn of<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// A stretch of a text, short ones more often.
    fn stretch(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        let most = self.below(length - start + 1);
        start..start + self.below(most + 1)
    }
}

/// Characters that mean something somewhere.
const MARKS: &[char] = &[
    ' ', '\n', '\t', '\r', ':', '-', '#', '&', '*', '!', '|', '>', '\'', '"', '%', '@', '`', '{', '}', '[', ']', ',',
    '?', '<', '=', '$', '\\', '/', '.', '_', '+', '0', '9', 'e', 'x', 'é', '웹', '\u{85}', '\u{a0}', '\u{2028}',
    '\u{feff}', '😀', '\0',
];

/// The text of this number.
pub fn made(number: u64, seeds: &[&str], words: &[String]) -> String {
    let mut choice = Choice(number);
    let mut text: Vec<char> = choice.of(seeds).chars().collect();
    for _ in 0..1 + choice.below(5) {
        let at = choice.stretch(text.len());
        match choice.below(8) {
            0 => drop(text.drain(at)),
            1 => drop(text.splice(at.start..at.start, choice.of(words).chars())),
            2 => drop(text.splice(at, choice.of(words).chars())),
            3 => drop(text.splice(at.start..at.start, [*choice.of(MARKS)])),
            4 => drop(text.splice(at.start..at.end.min(at.start + 1), [*choice.of(MARKS)])),
            5 => {
                let again = text[at.clone()].repeat(1 + choice.below(3));
                drop(text.splice(at.start..at.start, again));
            }
            6 => {
                let other: Vec<char> = choice.of(seeds).chars().collect();
                let part = choice.stretch(other.len());
                drop(text.splice(at, other[part].iter().copied()));
            }
            _ => {
                let moved: Vec<char> = text.drain(at).collect();
                let to = choice.below(text.len() + 1);
                drop(text.splice(to..to, moved));
            }
        }
        text.truncate(20_000);
    }
    text.into_iter().collect()
}
