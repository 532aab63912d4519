//! Mail over SMTP: it arrives as it was written, it is tried again, and what cannot be sent holds nobody up.

use std::time::{Duration, Instant};

use bulkhead_mail::{Mail, MailSettings, Mailer, Smtp, SmtpTls, Transport};
use bulkhead_tests::smtp::Inbox;

fn mailer(port: u16, tls: SmtpTls) -> Mailer {
    let (host, username, password) = ("127.0.0.1".to_owned(), None, None);
    let transport = Transport::Smtp(Smtp { host, port, tls, username, password });
    let from = "Bulkhead <no-reply@example.com>".to_owned();
    Mailer::new(MailSettings { transport, from }).unwrap()
}

fn mail(to: &str, subject: &str, text: &str) -> Mail {
    Mail { to: to.to_owned(), subject: subject.to_owned(), text: text.to_owned() }
}

#[tokio::test]
async fn a_mail_of_any_script_arrives_as_it_was_written() {
    let inbox = Inbox::start().await;
    let mailer = mailer(inbox.address().port(), SmtpTls::None);
    let long = format!("https://app.example.com/reset?token={}\n", "x".repeat(200));
    for (subject, text) in [
        ("Welcome", "Hello,\n\nthis is plain.\n"),
        ("Żółć and more: 你好", "Grüße, 你好 = 100 %\n.\n..\n.dot first\n"),
        ("", "\n"),
        ("Reset", &long),
        (&"a long subject ".repeat(20), "x\n"),
        (&"Żółć ".repeat(40), "x\n"),
    ] {
        mailer.send(mail("anna@example.com", subject, text));
        let arrived = inbox.next_to("anna@example.com").await;
        assert_eq!(arrived.subject.trim_end(), subject.trim_end());
        assert_eq!(arrived.text.trim_end(), text.trim_end());
        assert!(arrived.headers.contains("From: Bulkhead <no-reply@example.com>"), "{}", arrived.headers);
    }
}

#[tokio::test]
async fn a_mail_that_is_put_off_is_tried_again_and_holds_no_other_up() {
    let inbox = Inbox::start().await;
    let mailer = mailer(inbox.address().port(), SmtpTls::None);
    inbox.put_off(1);
    mailer.send(mail("first@example.com", "first", "text"));
    bulkhead_tests::poll::until("the first attempt", Duration::from_secs(10), async || {
        (inbox.attempts() == 1).then_some(())
    })
    .await;
    mailer.send(mail("second@example.com", "second", "text"));
    assert_eq!(inbox.next_to("second@example.com").await.subject, "second");
    assert_eq!(inbox.next_to("first@example.com").await.subject, "first");
    assert_eq!(inbox.attempts(), 3);
    mailer.finish(Duration::from_secs(10));
    assert!(inbox.is_empty(), "each arrived once");
}

#[tokio::test]
async fn sending_never_waits_and_the_end_of_the_process_waits_for_so_long_only() {
    // Nobody listens there.
    let mailer = mailer(9, SmtpTls::None);
    let started = Instant::now();
    for number in 0..1_500 {
        mailer.send(mail(&format!("{number}@example.com"), "subject", "text"));
    }
    mailer.send(mail("not an address", "subject", "text"));
    mailer.finish(Duration::from_millis(50));
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_server_that_cannot_encrypt_gets_no_mail_that_must_be() {
    let inbox = Inbox::start().await;
    let mailer = mailer(inbox.address().port(), SmtpTls::StartTls);
    mailer.send(mail("anna@example.com", "subject", "text"));
    // Another attempt would end the same, so it is given up at once.
    mailer.finish(Duration::from_secs(10));
    assert_eq!((inbox.attempts(), inbox.len()), (0, 0));
}
