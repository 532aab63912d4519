//! A few words of a text around what was looked for, as HTML that is safe to show: every character of the text is escaped,
//! and the only elements are our own.

use std::ops::Range;

use bulkhead_domain::search::{Asked, separates};

/// How many characters are shown.
const LENGTH: usize = 200;
/// How many of them stand before the first word that was looked for.
const BEFORE: usize = 40;

/// A snippet of the text where the words are; of the title when they are only there.
pub(crate) fn of(asked: &Asked, title: &str, body: &str) -> String {
    let (in_title, in_body) = (marks(asked, title), marks(asked, body));
    let body_says_nothing = body.trim().is_empty();
    if (in_body.is_empty() && !in_title.is_empty()) || body_says_nothing {
        write(title, &in_title)
    } else {
        write(body, &in_body)
    }
}

/// Where the words are that were looked for, in bytes: those near enough to the first to be shown with it.
fn marks(asked: &Asked, text: &str) -> Vec<Range<usize>> {
    let mut marks: Vec<Range<usize>> = Vec::new();
    let mut start = 0;
    for word in text.split(separates) {
        if marks.first().is_some_and(|first| start > first.end + LENGTH * char::MAX.len_utf8()) {
            break;
        }
        if !word.is_empty() && asked.mention(word) {
            marks.push(start..start + word.len());
        }
        let separator = text.get(start + word.len()..).and_then(|rest| rest.chars().next());
        start += word.len() + separator.map_or(0, char::len_utf8);
    }
    marks
}

/// The part of the text that is shown, in bytes.
fn window(text: &str, marks: &[Range<usize>]) -> Range<usize> {
    let first = marks.first().map_or(0, |mark| mark.start);
    let before = text.get(..first).unwrap_or_default();
    let mut start = match before.char_indices().rev().nth(BEFORE - 1) {
        // From the beginning of a word on, if one begins there.
        Some((at, _)) => before.get(at..).and_then(|near| near.find(separates)).map_or(at, |gap| at + gap),
        None => 0,
    };
    start += text.get(start..).map_or(0, |rest| rest.len() - rest.trim_start_matches(separates).len());
    // What separates words may be what the text begins with.
    if before.chars().count() <= BEFORE {
        start = 0;
    }
    let rest = text.get(start..).unwrap_or_default();
    let end = rest.char_indices().nth(LENGTH).map_or(text.len(), |(at, _)| start + at);
    start..end
}

fn write(text: &str, marks: &[Range<usize>]) -> String {
    let shown = window(text, marks);
    let mut html = String::new();
    if shown.start > 0 {
        html.push('…');
    }
    let mut at = shown.start;
    for mark in marks.iter().filter(|mark| mark.start >= shown.start && mark.end <= shown.end) {
        escape(text.get(at..mark.start), &mut html);
        html.push_str("<mark>");
        escape(text.get(mark.clone()), &mut html);
        html.push_str("</mark>");
        at = mark.end;
    }
    escape(text.get(at..shown.end), &mut html);
    if shown.end < text.len() {
        html.push('…');
    }
    html
}

/// Escapes for the text and for attributes of HTML.
fn escape(text: Option<&str>, html: &mut String) {
    for character in text.unwrap_or_default().chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            _ if character.is_whitespace() => html.push(' '),
            _ if character.is_control() => {}
            _ => html.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use bulkhead_domain::search::Terms;

    use super::of;

    fn snippet(q: &str, title: &str, body: &str) -> String {
        of(&Terms::parse(q).expect("searchable").asked(), title, body)
    }

    #[test]
    fn what_was_looked_for_is_marked_and_everything_else_escaped() {
        for (q, body, expected) in [
            (
                "script",
                "<script>alert(1)</script>",
                "&lt;<mark>script</mark>&gt;alert(1)&lt;/<mark>script</mark>&gt;",
            ),
            ("mark", "</mark><b>", "&lt;/<mark>mark</mark>&gt;&lt;b&gt;"),
            ("amp lt", "&amp; &lt;", "&amp;<mark>amp</mark>; &amp;<mark>lt</mark>;"),
            ("a", "\"a' onload=", "&quot;<mark>a</mark>&#39; onload="),
            ("resume", "My Résumé\u{1}\n2", "My <mark>Résumé</mark> 2"),
            ("cov", "Cover of covers", "<mark>Cover</mark> of <mark>covers</mark>"),
            ("\"cover sheet\"", "the cover sheet", "the <mark>cover</mark> <mark>sheet</mark>"),
            ("nothing", "no such thing", "no such thing"),
            ("日本", "日本語", "<mark>日本語</mark>"),
        ] {
            assert_eq!(snippet(q, "", body), expected, "{q}");
        }
    }

    #[test]
    fn it_is_of_the_text_where_the_words_are_or_of_the_title() {
        assert_eq!(snippet("one", "One <two>", "three"), "<mark>One</mark> &lt;two&gt;");
        assert_eq!(snippet("three", "One", "three"), "<mark>three</mark>");
        assert_eq!(snippet("oen", "One", "three"), "three");
        let long = format!("{} needle {}", "ähm ".repeat(100), "öhm ".repeat(100));
        let shown = snippet("needle", "", &long);
        assert!(
            shown.starts_with('…') && shown.ends_with('…') && shown.contains(" <mark>needle</mark> "),
            "{shown}"
        );
        assert!(shown.chars().count() < 230 && shown.starts_with("…ähm"), "{shown}");
        assert_eq!(snippet("x", "", &"y".repeat(500)).chars().count(), 201);
        assert_eq!(snippet("needle", "", &format!("{}needle", "é".repeat(300))).chars().next(), Some('é'));
    }
}
