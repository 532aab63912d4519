//! A refresh token cannot be stored as it is: only the 32 bytes of a digest fit.

use bulkhead_persistence::families::FirstToken;

fn main() {
    let token = "bhr_secret";
    let _first = FirstToken { lineage: &[0; 32], token: token.as_bytes(), expires_at: bulkhead_domain::clock::now() };
}
