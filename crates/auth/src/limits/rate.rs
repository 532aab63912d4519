//! Rates as operators write them: `1000/hour`, `10/m`, `off`.

use std::str::FromStr;
use std::time::Duration;

/// How much is let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rate {
    /// Everything.
    Unlimited,
    /// So much, refilled evenly over the window.
    Limited {
        /// Units in each window; 0 lets nothing through.
        units: u32,
        /// The window.
        window: Window,
    },
}

/// The times that a rate can be for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Window {
    /// 1 second.
    Second,
    /// 60 seconds.
    Minute,
    /// 3600 seconds.
    Hour,
    /// 86400 seconds.
    Day,
}

/// A text that is no rate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a rate; write N/second, N/minute, N/hour or N/day with N from 0 to 4294967295, or off")]
pub struct NotARate(String);

impl Rate {
    /// So many units an hour.
    #[must_use]
    pub const fn hourly(units: u32) -> Self {
        Self::Limited { units, window: Window::Hour }
    }
}

impl Window {
    /// How long it is.
    #[must_use]
    pub const fn length(self) -> Duration {
        Duration::from_secs(match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3_600,
            Self::Day => 86_400,
        })
    }

    /// Any beginning of the word will do, down to its first letter. No other word will: `10/month` is not ten a minute.
    fn parse(text: &str) -> Option<Self> {
        let words = [
            ("seconds", Self::Second),
            ("minutes", Self::Minute),
            ("hours", Self::Hour),
            ("days", Self::Day),
        ];
        let found = words.into_iter().find(|(word, _)| !text.is_empty() && word.starts_with(text));
        found.map(|(_, window)| window)
    }
}

impl FromStr for Rate {
    type Err = NotARate;

    fn from_str(text: &str) -> Result<Self, NotARate> {
        let lower = text.trim().to_ascii_lowercase();
        if lower == "off" {
            return Ok(Self::Unlimited);
        }
        let parts = lower.split_once('/').and_then(|(units, window)| {
            // `parse` alone would take a sign.
            let is_count = units.bytes().all(|byte| byte.is_ascii_digit());
            let units = if is_count { units.parse().ok()? } else { return None };
            Some(Self::Limited { units, window: Window::parse(window)? })
        });
        parts.ok_or_else(|| NotARate(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::{Rate, Window};

    #[test]
    fn a_rate_is_a_count_and_the_beginning_of_a_word() {
        for (text, units, window) in [
            ("1000/hour", 1000, Window::Hour),
            ("10/m", 10, Window::Minute),
            ("10/min", 10, Window::Minute),
            (" 5/Second ", 5, Window::Second),
            ("0/day", 0, Window::Day),
            ("4294967295/s", u32::MAX, Window::Second),
            ("7/days", 7, Window::Day),
        ] {
            assert_eq!(text.parse(), Ok(Rate::Limited { units, window }), "{text}");
        }
        assert_eq!("off".parse(), Ok(Rate::Unlimited));
        assert_eq!("OFF".parse(), Ok(Rate::Unlimited));
    }

    #[test]
    fn anything_else_is_refused_with_what_to_write() {
        for text in [
            "",
            "10",
            "10/",
            "/hour",
            "10/month",
            "10/hourly",
            "-1/hour",
            "+1/hour",
            "1.5/hour",
            "4294967296/second",
            "10/5m",
            "10 / hour",
            "on",
            "ten/hour",
            "10/hour/day",
        ] {
            let error = text.parse::<Rate>().unwrap_err().to_string();
            assert!(error.contains(&format!("{text:?}")) && error.contains("N/minute"), "{error}");
        }
    }
}
