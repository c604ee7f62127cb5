//! What one text may cost.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// How long one text may take a processor: some times the second that a stack file may, because of counters and checks, and
/// of builds without optimization. Time that goes to other work of the machine does not count.
const TIME: Duration = Duration::from_secs(if cfg!(fuzzing) { 3 } else { 10 });

/// How much memory it may hold at once.
const MEMORY: isize = 100 << 20;

/// What a check makes of a text, after what it cost was found to be within bounds.
pub fn within<T>(name: &str, text: &str, check: impl FnOnce(&str) -> T) -> T {
    let (start, before) = (used(), LEDGER.with(|l| l.begin()));
    let done = catch_unwind(AssertUnwindSafe(|| check(text)));
    let (time, most) = (used() - start, LEDGER.with(|l| l.most.get()) - before);
    let said = match done {
        Err(panic) => panic
            .downcast_ref::<String>()
            .cloned()
            .unwrap_or_else(|| panic.downcast_ref::<&str>().copied().unwrap_or_default().to_owned()),
        Ok(_) if most >= MEMORY => format!("holds {} MiB", most >> 20),
        Ok(_) if time >= TIME => format!("takes {time:?}"),
        Ok(made) => return made,
    };
    let shown: String = text.chars().take(SHOWN).collect();
    panic!("{name}: {said}\nfor {} bytes: {shown:?}\n{shown}", text.len());
}

/// How many characters of a text are shown.
const SHOWN: usize = 4000;

/// The processor's time that this thread has used.
#[cfg(target_os = "linux")]
fn used() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

/// Elsewhere time by the clock will do.
#[cfg(not(target_os = "linux"))]
fn used() -> Duration {
    static START: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    START.elapsed()
}

/// What a thread has allocated: what it holds, and the most that it held.
struct Ledger {
    now: Cell<isize>,
    most: Cell<isize>,
}

thread_local! {
    static LEDGER: Ledger = const { Ledger { now: Cell::new(0), most: Cell::new(0) } };
}

impl Ledger {
    fn begin(&self) -> isize {
        self.most.set(self.now.get());
        self.now.get()
    }

    fn add(&self, bytes: isize) {
        self.now.set(self.now.get() + bytes);
        self.most.set(self.most.get().max(self.now.get()));
    }
}

/// The system's allocator, which keeps a ledger.
struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

// SAFETY: every call goes to the system's allocator as it came; the ledger allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = LEDGER.try_with(|l| l.add(layout.size() as isize));
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        let _ = LEDGER.try_with(|l| l.add(-(layout.size() as isize)));
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let _ = LEDGER.try_with(|l| l.add(size as isize - layout.size() as isize));
        unsafe { System.realloc(at, layout, size) }
    }
}
