//! Lengths of time as older variables write them, turned into seconds. Nothing else.

/// `900`, `900s`, `15m`, `1h` or `7d`, as the text of a number of seconds.
pub(crate) fn seconds(text: &str) -> Option<String> {
    let text = text.trim();
    let (digits, factor) = match text.chars().last()? {
        's' => (text.trim_end_matches('s'), 1),
        'm' => (text.trim_end_matches('m'), 60),
        'h' => (text.trim_end_matches('h'), 3_600),
        'd' => (text.trim_end_matches('d'), 86_400),
        _ => (text, 1),
    };
    times(digits, factor)
}

/// A number of minutes, as the text of a number of seconds.
pub(crate) fn minutes(text: &str) -> Option<String> {
    times(text.trim(), 60)
}

/// A number of days, as the text of a number of seconds.
pub(crate) fn days(text: &str) -> Option<String> {
    times(text.trim(), 86_400)
}

fn times(digits: &str, factor: u64) -> Option<String> {
    Some(digits.parse::<u64>().ok()?.checked_mul(factor)?.to_string())
}

#[cfg(test)]
mod tests {
    use super::{days, minutes, seconds};

    #[test]
    fn a_bare_number_is_seconds_and_a_unit_multiplies() {
        assert_eq!(seconds("900").as_deref(), Some("900"));
        assert_eq!(seconds(" 15m ").as_deref(), Some("900"));
        assert_eq!(seconds("7d").as_deref(), Some("604800"));
        assert_eq!(minutes("15").as_deref(), Some("900"));
        assert_eq!(days("7").as_deref(), Some("604800"));
    }

    #[test]
    fn what_is_not_a_length_of_time_is_refused() {
        for text in ["", "m", "-1", "1.5h", "soon", "99999999999999999999d"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
