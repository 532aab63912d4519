//! `bulkhead config`: the effective settings and where each came from. Secrets arrive here hidden already.

use serde_json::json;

use crate::config::serving_refusals;
use crate::context::Context;
use crate::output::table;

/// Shows the settings, the older variables without effect, and what still keeps production from serving.
pub(super) fn run(context: &Context) {
    let configuration = &context.configuration;
    let missing = serving_refusals(&configuration.settings);
    let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
    let mut rows = vec![row(["KEY", "VALUE", "FROM"])];
    rows.extend(configuration.entries.iter().map(|entry| row([&entry.key, &entry.value, &entry.from])));
    let mut text = table(&rows);
    for unused in &configuration.unused {
        text.push_str(&format!("\n{} is set but not used: {}", unused.variable, unused.reason));
    }
    for refusal in &missing {
        text.push_str(&format!("\n`bulkhead serve` would refuse: {refusal}"));
    }
    let document = json!({
        "settings": configuration.entries,
        "unused_variables": configuration.unused,
        "serve_would_refuse": missing,
    });
    context.output.tell(&document, &text);
}
