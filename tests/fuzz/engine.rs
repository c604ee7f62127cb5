//! libFuzzer, driven from a test: built with coverage counters by `scripts/fuzz`, which says how.

use std::ffi::{CString, c_char, c_int};
use std::path::Path;
use std::sync::OnceLock;

// its archive holds the driver
use libfuzzer_sys as _;

use crate::{Target, within};

unsafe extern "C" {
    /// compiler-rt's `FuzzerInterface`: runs with the arguments of the command line, and calls back with each text.
    fn LLVMFuzzerRunDriver(
        count: *mut c_int,
        arguments: *mut *mut *mut c_char,
        run: extern "C" fn(*const u8, usize) -> c_int,
    ) -> c_int;
}

static TARGET: OnceLock<&'static Target> = OnceLock::new();

extern "C" fn run(bytes: *const u8, length: usize) -> c_int {
    // SAFETY: libFuzzer gives `length` bytes that live until this returns; the pointer of none may be null
    let bytes = if length == 0 { &[] } else { unsafe { std::slice::from_raw_parts(bytes, length) } };
    if let (Some(target), Ok(text)) = (TARGET.get(), std::str::from_utf8(bytes)) {
        within(target.name, text, target.check);
        return 0;
    }
    -1 // not kept
}

/// Runs `BOWLINE_FUZZ`: a target, a directory for what is found and learnt, and libFuzzer's own arguments or the file of one
/// text, by blanks.
#[test]
fn fuzz() {
    let asked = std::env::var("BOWLINE_FUZZ").expect("scripts/fuzz sets it");
    let mut words = asked.split(' ').filter(|w| !w.is_empty());
    let target = Target::named(words.next().expect("a target"));
    let directory = Path::new(words.next().expect("a directory"));
    let mut words = words.peekable();
    if let Some(file) = words.next_if(|word| !word.starts_with('-')) {
        return within(target.name, &std::fs::read_to_string(file).expect("a file of text"), target.check);
    }
    let [corpus, seeds] = ["corpus", "seeds"].map(|kind| directory.join(target.name).join(kind));
    std::fs::create_dir_all(&corpus).expect("a directory can be made");
    std::fs::create_dir_all(&seeds).expect("a directory can be made");
    for (n, seed) in target.seeds().iter().enumerate() {
        std::fs::write(seeds.join(n.to_string()), seed).expect("a file can be written");
    }
    let dictionary = directory.join(target.name).join("words");
    let word = |word: &String| format!("\"{}\"\n", word.bytes().map(|b| format!("\\x{b:02x}")).collect::<String>());
    std::fs::write(&dictionary, target.words().iter().map(word).collect::<String>()).expect("a file can be written");

    let mut arguments = vec!["fuzz".to_owned(), format!("-dict={}", dictionary.display())];
    arguments.push(format!("-artifact_prefix={}/", directory.join(target.name).display()));
    arguments.extend(words.map(str::to_owned));
    arguments.extend([corpus, seeds].map(|path| path.display().to_string()));
    let _ = TARGET.set(target);
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        hook(panic);
        std::process::abort(); // of which libFuzzer keeps the text
    }));
    let arguments: Vec<CString> = arguments.into_iter().map(|a| CString::new(a).expect("no NUL")).collect();
    let mut pointers: Vec<*mut c_char> = arguments.iter().map(|a| a.as_ptr().cast_mut()).collect();
    let mut count = c_int::try_from(pointers.len()).expect("few arguments");
    pointers.push(std::ptr::null_mut());
    let mut all = pointers.as_mut_ptr();
    // SAFETY: `count` strings that end in NUL, and a null pointer after them, all alive until it returns
    assert_eq!(unsafe { LLVMFuzzerRunDriver(&mut count, &mut all, run) }, 0);
}
