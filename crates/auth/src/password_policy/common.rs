//! The commonest passwords: whether a text is one of them. What is done to a password before it is looked up is not said
//! here.

/// Sorted lines, in lower case; `data/README.md` says where they come from. They are part of the binary and looked up where
/// they are, so they take no memory besides.
static LIST: &str = include_str!("../../data/common-passwords.txt");

/// Whether `word`, in lower case, is one of the commonest passwords.
pub(super) fn is_common(word: &str) -> bool {
    let mut rest = LIST;
    // Each step looks at the line around the middle, and keeps the lines before or after it.
    while !rest.is_empty() {
        let Some((before, line, after)) = around_the_middle(rest) else { return false };
        match word.cmp(line) {
            std::cmp::Ordering::Less => rest = before,
            std::cmp::Ordering::Greater => rest = after,
            std::cmp::Ordering::Equal => return true,
        }
    }
    false
}

/// The lines before the one in the middle, that line without its end, and the lines after it.
fn around_the_middle(lines: &str) -> Option<(&str, &str, &str)> {
    // The list is ASCII, so every byte is a boundary.
    let (head, tail) = lines.split_at_checked(lines.len() / 2)?;
    let start = head.rfind('\n').map_or(0, |end| end + 1);
    let end = head.len() + tail.find('\n')?;
    Some((lines.get(..start)?, lines.get(start..end)?, lines.get(end + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::{LIST, is_common};

    #[test]
    fn every_entry_is_found_and_nothing_between_them() {
        let entries = LIST.lines().collect::<Vec<_>>();
        assert!(entries.windows(2).all(|pair| pair[0] < pair[1]), "sorted, without repetitions");
        for entry in &entries {
            assert!(is_common(entry), "{entry}");
            let absent = format!("{entry}\u{1}");
            assert!(!is_common(&absent));
        }
        for absent in ["", "\n", "password\n", "\u{10ffff}", "Password", "correct horse battery staple"] {
            assert!(!is_common(absent), "{absent:?}");
        }
    }

    #[test]
    fn the_list_is_lower_case_ascii_and_holds_more_than_three_thousand_that_are_long_enough() {
        assert!(
            LIST.bytes().all(|byte| byte == b'\n' || byte.is_ascii_graphic() && !byte.is_ascii_uppercase())
        );
        assert!(LIST.ends_with('\n'));
        let long_enough = LIST.lines().filter(|entry| entry.len() >= super::super::DEFAULT_MIN_LENGTH);
        assert!(long_enough.count() >= 3_000);
    }
}
