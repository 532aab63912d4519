//! How long one password takes to compare, one after the other: what `make bench`, which runs one of these for each core, holds the
//! log-ins per second against. No database and no network.
//!
//! Prints milliseconds, the median of 51.

use std::error::Error;
use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use bulkhead_auth::password::{HashSettings, PasswordHasher};
use secrecy::SecretString;

const TIMES: usize = 51;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let hasher =
        PasswordHasher::new(HashSettings { permits: 1, beside_others: 1, queue: 0, wait: Duration::ZERO })?;
    let guess = SecretString::from("wrong wrong wrong");
    hasher.verify(guess.clone(), None).await?;
    let mut times = Vec::with_capacity(TIMES);
    for _ in 0..TIMES {
        let started = Instant::now();
        hasher.verify(guess.clone(), None).await?;
        times.push(started.elapsed());
    }
    times.sort();
    let median = times.get(TIMES / 2).map_or(0.0, Duration::as_secs_f64);
    Ok(writeln!(io::stdout(), "{:.2}", median * 1e3)?)
}
