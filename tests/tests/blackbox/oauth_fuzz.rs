//! Whatever is sent to the token endpoints, the answer is a coded one, no request is a defect, and no secret is in the log.

use bulkhead_tests::app::Options;
use bulkhead_tests::machine::{Machine, basic};
use bulkhead_tests::oauth::{FORM, INTROSPECT, OLD_REFRESH, OLD_TOKEN, REVOKE, TOKEN, World, percent};

/// A small generator (xorshift64*), so that each run sends the same.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() >> 33).expect("31 bits") % end
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

const NAMES: [&str; 12] = [
    "grant_type",
    "client_id",
    "client_secret",
    "scope",
    "token",
    "token_type_hint",
    "refresh",
    "resource",
    "audience",
    "",
    "\0",
    "x\u{1f600}",
];

/// Texts that a careless reader might stumble over, and some that are sound.
fn texts(machine: &Machine, token: &str, refresh: &str) -> Vec<String> {
    let long = "x".repeat(5_000);
    let mut texts = [
        "client_credentials",
        "read:*",
        "",
        " ",
        "\0",
        "\u{e9}\u{1f600}",
        "\r\nX-Injected: 1",
        "%",
        "%zz",
        "'\"\\<>",
        "null",
        "../../etc/passwd",
        "{\"a\":1}",
        "a.b.c",
        "client_",
        "bhs_",
        "9999999999999999999999",
        &long,
        token,
        refresh,
    ]
    .map(str::to_owned)
    .to_vec();
    texts.extend([machine.client_id.clone(), machine.secret.clone(), machine.client_id.to_uppercase()]);
    texts.push(token[..token.len() / 2].to_owned());
    texts
}

fn body(chance: &mut Chance, texts: &[String]) -> Vec<u8> {
    let members = 1 + chance.below(5);
    match chance.below(4) {
        0 => (0..chance.below(200)).map(|_| u8::try_from(chance.below(256)).expect("a byte")).collect(),
        1 => {
            let mut pairs = (0..members).map(|_| {
                let text = chance.pick(texts);
                let value = match chance.below(4) {
                    0 => format!("[{}]", serde_json::json!(text)),
                    1 => "1e999".to_owned(),
                    _ => serde_json::json!(text).to_string(),
                };
                format!("{}:{value}", serde_json::json!(chance.pick(&NAMES)))
            });
            format!("{{{}}}", pairs.by_ref().collect::<Vec<_>>().join(",")).into_bytes()
        }
        is_raw => {
            let pairs = (0..members).map(|_| {
                let (name, value) = (*chance.pick(&NAMES), chance.pick(texts).clone());
                if is_raw == 2 {
                    format!("{}={}", percent(name), percent(&value))
                } else {
                    format!("{name}={value}")
                }
            });
            pairs.collect::<Vec<_>>().join("&").into_bytes()
        }
    }
}

fn headers(chance: &mut Chance, machine: &Machine, texts: &[String]) -> Vec<(&'static str, String)> {
    let one_line = |text: &str| text.replace(['\r', '\n', '\0'], "_");
    let kinds = [
        FORM,
        "application/json",
        "application/x-www-form-urlencoded; charset=UTF-8",
        "text/plain",
        "",
        ";",
        "a/b; c=\"d",
    ];
    let mut headers = vec![("Content-Type", (*chance.pick(&kinds)).to_owned())];
    let text = one_line(chance.pick(texts).as_str());
    match chance.below(6) {
        0 => headers.push(("Authorization", machine.basic())),
        1 => headers.push(("Authorization", basic(&text, chance.pick(texts).as_str()))),
        2 => headers.push(("Authorization", format!("Basic {text}"))),
        3 => headers.push(("Authorization", text)),
        4 => headers.push(("User-Agent", text)),
        _ => {}
    }
    headers
}

#[tokio::test]
async fn three_hundred_random_requests_to_the_token_endpoints_are_all_answered_by_code() {
    let world = World::start(Options::default().set("log.level", "debug")).await;
    let machine = world.worker(&world.a).await;
    let token = world.token(&machine).await;
    let (_, refresh) = world.pair(&machine).await;
    let texts = texts(&machine, &token, &refresh);
    let chance = &mut Chance(0x5EED_0FB0);
    let mut refusals = 0;
    for number in 0..300 {
        let target = *chance.pick(&[TOKEN, INTROSPECT, REVOKE, OLD_TOKEN, OLD_REFRESH]);
        let (headers, body) = (headers(chance, &machine, &texts), body(chance, &texts));
        let fields: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        // The client itself insists on no 5xx, and on an answer that the contract has.
        let answer = world.anonymous().raw("POST", target, &fields, Some(&body)).await;
        assert!(answer.header("x-injected").is_none(), "{number}: {answer}");
        if answer.status >= 400 && answer.header("x-correlation-id").is_some() {
            let problem = answer.json();
            assert!(problem["error"].is_string() || problem["code"].is_string(), "{number}: {answer}");
            refusals += 1;
        }
    }
    assert!((100..300).contains(&refusals), "some were let in, most were not: {refusals}");
    assert_eq!(world.ask(&machine, &[]).await.status, 200);
}
