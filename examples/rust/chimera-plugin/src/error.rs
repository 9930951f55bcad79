//! Errors inside, codes and messages across the line.

use crate::abi::*;
use std::any::Any;
use std::io;
use std::panic::{catch_unwind, AssertUnwindSafe};

/// A failure with the code that crosses the line (`CHM_E_*`, negative) and the message for the caller's buffer.
#[derive(Debug)]
pub struct Error {
    pub code: chm_rc,
    pub message: String,
}

impl Error {
    pub fn new(code: chm_rc, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl From<io::Error> for Error {
    fn from(e: io::Error) -> Self {
        Self::new(CHM_E_FAIL, e.to_string())
    }
}

/// Writes the message into the caller's buffer, cut at a character, and gives the code back.
///
/// # Safety
/// `err` is null or valid, as `chm_error` says.
pub(crate) unsafe fn fail(err: *mut chm_error, e: &Error) -> chm_rc {
    if let Some(buffer) = err.as_ref().filter(|b| !b.text.is_null() && b.cap > 0) {
        let mut n = e.message.len().min(buffer.cap - 1);
        while !e.message.is_char_boundary(n) {
            n -= 1;
        }
        std::ptr::copy_nonoverlapping(e.message.as_ptr(), buffer.text.cast(), n);
        *buffer.text.add(n) = 0;
    }
    e.code
}

/// What every thunk with a result code goes through: neither an error nor a panic crosses the line.
///
/// # Safety
/// As for [`fail`].
pub(crate) unsafe fn guarded(err: *mut chm_error, f: impl FnOnce() -> Result<chm_rc, Error>) -> chm_rc {
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(Ok(code)) => code,
        Ok(Err(e)) => fail(err, &e),
        Err(panic) => fail(err, &Error::new(CHM_E_FAIL, format!("panicked: {}", text_of(&*panic)))),
    }
}

/// The same for a thunk that has no way to say that it failed: its answer is then `otherwise`.
pub(crate) fn contained<T>(otherwise: T, f: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or(otherwise)
}

fn text_of(panic: &(dyn Any + Send)) -> &str {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (None, Some(text)) => text,
        (None, None) => "without a message",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(cap: usize, f: impl FnOnce() -> Result<chm_rc, Error>) -> (chm_rc, String) {
        let mut text = vec![b'#'; cap];
        let mut err = chm_error { text: text.as_mut_ptr().cast(), cap };
        let rc = unsafe { guarded(&mut err, f) };
        (rc, String::from_utf8(text.split(|c| *c == 0).next().unwrap().to_vec()).unwrap())
    }

    #[test]
    fn a_message_is_cut_at_a_character() {
        assert_eq!(message(5, || Err(Error::new(CHM_E_INVAL, "abcä"))), (CHM_E_INVAL, "abc".into()));
        assert_eq!(message(6, || Err(Error::new(CHM_E_INVAL, "abcä"))), (CHM_E_INVAL, "abcä".into()));
    }

    #[test]
    fn a_panic_becomes_a_failure() {
        assert_eq!(message(64, || panic!("number {}", 7)), (CHM_E_FAIL, "panicked: number 7".into()));
    }
}
