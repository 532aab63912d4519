//! From a [`Mail`] to the message that is sent. The library encodes what headers may not hold, so no text can add a header
//! or a recipient.

use bulkhead_domain::ids::new_id;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, SinglePart};
use lettre::{Address, error};

use crate::Mail;

/// Makes the message; `None` when the address is none.
pub(crate) fn compose(from: &Mailbox, mail: Mail) -> Option<Message> {
    // The address alone: a display name, a list or a second line is not one.
    let to = mail.to.parse::<Address>().ok()?;
    let id = format!("<{}@{}>", new_id(), from.email.domain());
    // RFC 3834: nobody's absence note should answer.
    let automatic =
        HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".into());
    let message: Result<Message, error::Error> = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(one_line(&mail.subject))
        .message_id(Some(id))
        .raw_header(automatic)
        .singlepart(SinglePart::plain(mail.text));
    message.ok()
}

/// Blanks for line ends and other control characters, which mean nothing in a subject.
fn one_line(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use lettre::message::{Mailbox, Message};

    use super::compose;
    use crate::Mail;

    fn message(to: &str, subject: &str, text: &str) -> Option<Message> {
        let from = "Büro <no-reply@example.com>".parse::<Mailbox>().unwrap();
        compose(&from, Mail { to: to.into(), subject: subject.into(), text: text.into() })
    }

    fn headers(message: &Message) -> Vec<String> {
        let text = String::from_utf8(message.formatted()).unwrap();
        let (headers, _) = text.split_once("\r\n\r\n").unwrap();
        let unfolded = headers.replace("\r\n ", " ").replace("\r\n\t", " ");
        unfolded.split("\r\n").map(str::to_owned).collect()
    }

    #[test]
    fn a_message_has_the_headers_that_it_needs_and_is_plain_text() {
        let message = message("anna@example.com", "Welcome", "Hello,\nŻółć.\n").unwrap();
        let headers = headers(&message);
        for header in [
            "From: =?utf-8?b?QsO8cm8=?= <no-reply@example.com>",
            "To: anna@example.com",
            "Subject: Welcome",
            "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
        ] {
            assert!(headers.iter().any(|line| line == header), "{header}: {headers:?}");
        }
        assert!(headers.iter().any(|line| line.starts_with("Date: ")));
        assert!(
            headers.iter().any(|line| line.starts_with("Message-ID: <") && line.ends_with("@example.com>"))
        );
        assert!(message.formatted().is_ascii(), "any server takes it");
    }

    #[test]
    fn no_subject_can_add_a_header_or_begin_the_text() {
        let plain = headers(&message("anna@example.com", "x", "text").unwrap()).len();
        for subject in [
            "x\r\nBcc: eve@example.com",
            "x\nBcc: eve@example.com",
            "x\rBcc: eve@example.com",
            "x\r\n\r\ntext",
            "x\u{85}Bcc: eve@example.com",
            "ż\r\nBcc: eve@example.com",
            "\0",
            &"a very long subject ".repeat(50),
            &"żółć".repeat(200),
        ] {
            let message = message("anna@example.com", subject, "text").unwrap();
            let headers = headers(&message);
            assert_eq!(headers.len(), plain, "{headers:?}");
            assert!(!headers.iter().any(|line| line.starts_with("Bcc")));
            assert_eq!(message.envelope().to().len(), 1);
            assert!(message.formatted().is_ascii());
        }
    }

    #[test]
    fn no_recipient_can_be_two_or_hold_a_command() {
        for bad in [
            "",
            "anna",
            "anna@example.com, eve@example.com",
            "anna@example.com\r\nBcc: eve@example.com",
            "anna@example.com\r\nRCPT TO:<eve@example.com>",
            "Anna <anna@example.com>",
            "anna@example.com>",
            "anna@exa mple.com",
            "anna@example.com\0",
        ] {
            assert!(message(bad, "x", "text").is_none(), "{bad:?}");
        }
    }
}
