//! A factory's schema, and an instance's options checked against it.

use crate::abi::*;
use crate::error::Error;
use std::ffi::CStr;

/// A number: `int_option!("workers", "2", 1, 64, "threads that poll tasks")`.
#[macro_export]
macro_rules! int_option {
    ($name:literal, $default:literal, $min:literal, $max:literal, $help:literal) => {
        $crate::abi::chm_option {
            size: $crate::abi::size::<$crate::abi::chm_option>(),
            kind: $crate::abi::CHM_OPT_INT,
            name: concat!($name, "\0").as_ptr().cast(),
            help: concat!($help, "\0").as_ptr().cast(),
            default_value: concat!($default, "\0").as_ptr().cast(),
            choices: std::ptr::null(),
            min: $min as f64,
            max: $max as f64,
        }
    };
}

/// One of some words: `enum_option!("await", "wake", "wake|block", "how a task waits")`.
#[macro_export]
macro_rules! enum_option {
    ($name:literal, $default:literal, $choices:literal, $help:literal) => {
        $crate::abi::chm_option {
            size: $crate::abi::size::<$crate::abi::chm_option>(),
            kind: $crate::abi::CHM_OPT_ENUM,
            name: concat!($name, "\0").as_ptr().cast(),
            help: concat!($help, "\0").as_ptr().cast(),
            default_value: concat!($default, "\0").as_ptr().cast(),
            choices: concat!($choices, "\0").as_ptr().cast(),
            min: 1.0,
            max: 0.0,
        }
    };
}

/// An instance's options. Borrowed for the call of `create`.
pub struct Options<'a> {
    schema: &'static [chm_option],
    given: Vec<(&'a str, &'a str)>,
}

impl<'a> Options<'a> {
    /// # Safety
    /// `config` is null or valid for `'a`.
    pub(crate) unsafe fn new(config: *const chm_config, schema: &'static [chm_option]) -> Result<Self, Error> {
        let mut options = Self { schema, given: Vec::new() };
        if let Some(c) = config.as_ref().filter(|c| c.n > 0) {
            for kv in std::slice::from_raw_parts(c.kv, c.n) {
                options.given.push((text(kv.key)?, text(kv.value)?));
            }
        }
        for (key, _) in &options.given {
            options.find(key)?;
        }
        Ok(options)
    }

    /// The value of an `int_option!`.
    pub fn integer(&self, name: &str) -> Result<i64, Error> {
        let (option, value) = self.find(name)?;
        let number = value.parse::<i64>().map_err(|_| invalid(name, value, "is not a whole number"))?;
        if (number as f64) < option.min || (number as f64) > option.max {
            return Err(invalid(name, value, &format!("is outside of {} to {}", option.min, option.max)));
        }
        Ok(number)
    }

    /// The value of an `enum_option!`: one of its words.
    pub fn choice(&self, name: &str) -> Result<&'a str, Error> {
        let (option, value) = self.find(name)?;
        let choices = static_text(option.choices);
        if choices.split('|').any(|word| word == value) {
            return Ok(value);
        }
        Err(invalid(name, value, &format!("is none of {}", choices)))
    }

    fn find(&self, name: &str) -> Result<(&'static chm_option, &'a str), Error> {
        let option = self
            .schema
            .iter()
            .find(|o| static_text(o.name) == name)
            .ok_or_else(|| Error::new(CHM_E_INVAL, format!("unknown option '{}'", name)))?;
        let given = self.given.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
        Ok((option, given.unwrap_or_else(|| static_text(option.default_value))))
    }
}

fn invalid(name: &str, value: &str, why: &str) -> Error {
    Error::new(CHM_E_INVAL, format!("option '{}': '{}' {}", name, value, why))
}

unsafe fn text<'a>(s: chm_str) -> Result<&'a str, Error> {
    let bytes = if s.len == 0 { &[] } else { std::slice::from_raw_parts(s.ptr.cast(), s.len) };
    std::str::from_utf8(bytes).map_err(|_| Error::new(CHM_E_INVAL, "an option is not UTF-8"))
}

/// What the macros above wrote.
fn static_text(s: *const std::os::raw::c_char) -> &'static str {
    unsafe { CStr::from_ptr(s) }.to_str().unwrap_or_default()
}
