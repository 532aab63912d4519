//! Passwords that need no list to be guessed: the same few characters over and over, and walks along the keyboard or the
//! alphabet.

/// The longest unit that is refused for being repeated, in characters, whatever it is.
const SHORT_UNIT: usize = 4;
/// The shortest piece of a walk.
const SHORTEST_PIECE: usize = 3;

/// What fingers and minds follow, on the keyboards of several countries, in lower case. Digits and letters begin again at
/// the end.
const TRACKS: [&str; 10] = [
    "12345678901234567890",
    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertyuiop[]\\asdfghjkl;'zxcvbnm,./",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/",
    "qazwsxedcrfvtgbyhnujmikolp",
    "1q2w3e4r5t6y7u8i9o0p",
    "!@#$%^&*()_+",
];

/// What `text` repeats, when it is that at least twice and nothing else; the last time may break off.
pub(super) fn repeated_unit(text: &str) -> Option<&str> {
    let half = text.len() / 2;
    let units = text.char_indices().skip(1).map(|(end, _)| end).take_while(|end| *end <= half);
    units.filter_map(|end| text.get(..end)).find(|unit| {
        let unit = unit.as_bytes();
        text.as_bytes().chunks(unit.len()).all(|part| unit.starts_with(part))
    })
}

/// Whether a unit is too short to be worth anything, however often it is repeated.
pub(super) fn is_short(unit: &str) -> bool {
    unit.chars().count() <= SHORT_UNIT
}

/// Whether `text`, in lower case, is made of walks only, forwards or backwards.
pub(super) fn is_walk(text: &str) -> bool {
    let mut rest = text;
    while rest.len() >= SHORTEST_PIECE {
        let longest = TRACKS.iter().map(|track| walked(rest, track)).max().unwrap_or_default();
        if longest < SHORTEST_PIECE {
            return false;
        }
        rest = rest.get(longest..).unwrap_or_default();
    }
    // One or two characters at the end add nothing.
    text.len() >= SHORTEST_PIECE
}

/// How far the beginning of `text` follows the track, in bytes, in the better of both directions.
fn walked(text: &str, track: &str) -> usize {
    let backwards = track.chars().rev().collect::<String>();
    let follows = |track: &str| {
        // Tracks are ASCII: where one of them goes on, there is a boundary.
        let ends =
            (1..=text.len()).take_while(|end| text.get(..*end).is_some_and(|part| track.contains(part)));
        ends.count()
    };
    follows(track).max(follows(&backwards))
}

#[cfg(test)]
mod tests {
    use super::{is_walk, repeated_unit};

    #[test]
    fn the_shortest_unit_is_found_also_when_the_last_one_breaks_off() {
        for (text, unit) in [
            ("aaaaaaaaaaaa", Some("a")),
            ("abcabcabcab", Some("abc")),
            ("qwertyqwerty", Some("qwerty")),
            ("żółżółżół", Some("żół")),
            ("🦀🦀🦀", Some("🦀")),
            ("abcab", None),
            ("abca", None),
            ("a", None),
            ("", None),
            ("passwordpassworx", None),
        ] {
            assert_eq!(repeated_unit(text), unit, "{text}");
        }
    }

    #[test]
    fn walks_are_seen_in_either_direction_and_one_after_another() {
        for walk in [
            "123456789012",
            "098765432109",
            "abcdefghijkl",
            "zyxwvutsrqpo",
            "qwertyuiop12",
            "qwertyuiopas",
            "qweasdzxc123",
            "asdfghjkl;'\\",
            "1qaz2wsx3edc",
            "1q2w3e4r5t6y",
            "qwertzuiopyx",
            "!@#$%^&*()12",
            "abcd1234qwer",
            "xyzabcdefghi",
        ] {
            assert!(is_walk(walk), "{walk}");
        }
        for other in ["", "ab", "correct", "straight", "defend stuff", "żółć", "abcżółć", "1234x5678y"]
        {
            assert!(!is_walk(other), "{other}");
        }
    }
}
